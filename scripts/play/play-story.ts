import { AnswerError } from "./client.ts";
import { News } from "./compare-news.ts";
import {
  compareAwardDetails,
  compareAwards,
  compareCampaigns,
  compareCounts,
  compareCustomers,
  compareLedger,
  compareLots,
  compareOrders,
  compareRedemptions,
  compareTransfers,
} from "./compare-state.ts";
import type { Difference } from "./difference.ts";
import type { Expectation } from "./expectation.ts";
import { perform } from "./perform.ts";
import { Session, type Surroundings } from "./session.ts";
import type { Story } from "./story.ts";
import { View } from "./view.ts";

export interface Outcome {
  readonly id: string;
  /** With the step, counted from 0, before the path. Empty is good. */
  readonly differences: readonly Difference[];
  readonly durationMs: number;
}

/** Plays a story with a merchant of its own to its end, or to the first answer that no text allows. */
export async function playStory(story: Story, surroundings: Surroundings): Promise<Outcome> {
  const startedAt = performance.now();
  const found: Difference[] = [];
  let step = 0;
  try {
    let now = story.steps.find(({ at }) => at !== undefined)?.at ?? new Date(0).toISOString();
    const session = await Session.open(story, surroundings, now);
    const news = new News(story, session);
    for (const action of story.steps) {
      if (action.expect === undefined) {
        now = action.at ?? now;
        await perform(action, session);
      } else {
        await session.settleAll();
        const differences = await compare(action.expect, new View(session, story, now), news, session);
        found.push(...differences.map((difference) => ({ ...difference, path: `step ${step} ${difference.path}` })));
      }
      step += 1;
    }
  } catch (error) {
    if (!(error instanceof AnswerError)) throw error;
    found.push({ path: `step ${step}`, expected: "an answer as the texts have it", got: error.message });
  }
  return { id: story.id, differences: found, durationMs: performance.now() - startedAt };
}

async function compare(expected: Expectation, view: View, news: News, session: Session): Promise<Difference[]> {
  const { customers, awards, awardDetails, orders, lots, ledger, transfers, redemptions, campaigns, duplicates, parked } = expected;
  const parts = await Promise.all([
    customers && compareCustomers(customers, view, session.positions),
    awards && compareAwards(awards, view),
    awardDetails && compareAwardDetails(awardDetails, view, session),
    orders && compareOrders(orders, view),
    lots && compareLots(lots, view),
    ledger && compareLedger(ledger, view),
    transfers !== undefined && compareTransfers(transfers, view),
    redemptions && compareRedemptions(redemptions, view),
    campaigns && compareCampaigns(campaigns, view),
    duplicates !== undefined && compareCounts("duplicates", duplicates, view),
    parked !== undefined && compareCounts("parked", parked, view),
    news.compare(expected, view),
  ]);
  return parts.flatMap((part) => part || []);
}
