import { randomUUID } from "node:crypto";
import type { Sql } from "@perkstream/postgres";
import type { BenchMerchant } from "../bed/merchants.ts";
import type { Random } from "../simulate/random.ts";
import { Lane } from "./lane.ts";

const everyMs = 150;
const answerLimitMs = 15_000;
const customers = 12;

interface Redeem {
  readonly merchant: BenchMerchant;
  readonly customerId: string;
  /** The same for every repeat. */
  readonly key: string;
}

export interface Redemptions {
  end(): void;
  waiting(): number;
  stop(): Promise<void>;
  /** Those that the API has acknowledged, by id: each must be there once, and no other. */
  readonly acknowledged: ReadonlySet<string>;
  readonly violations: readonly string[];
}

/** Commands beside the orders: customers redeem a cent now and then, again with the same Idempotency-Key until there is an answer. */
export function startRedemptions(merchantApi: string, merchants: readonly BenchMerchant[], random: Random): Redemptions {
  const acknowledged = new Set<string>();
  const violations: string[] = [];
  const lane = new Lane<Redeem>(1, async ([redeem]) => {
    const answer = redeem === undefined ? null : await post(merchantApi, redeem);
    if (answer === null || answer.status === 503 || answer.status === 429) return false;
    if (answer.status === 201) acknowledged.add((JSON.parse(answer.text) as { redemptionId: string }).redemptionId);
    // A customer without orders or balance yet.
    else if (answer.status !== 404 && answer.status !== 409)
      violations.push(`the API answered ${answer.status} to POST /v1/redemptions: ${answer.text.slice(0, 300)}`);
    return true;
  });
  const timer = setInterval(() => {
    const merchant = merchants[random.below(merchants.length)];
    if (merchant === undefined || lane.isFull) return;
    lane.add({ merchant, customerId: `customer-${1 + random.below(customers)}`, key: randomUUID() });
  }, everyMs);
  return {
    acknowledged,
    violations,
    end: () => clearInterval(timer),
    waiting: () => lane.waiting,
    stop: () => {
      clearInterval(timer);
      return lane.stop();
    },
  };
}

async function post(merchantApi: string, { merchant, customerId, key }: Redeem): Promise<{ status: number; text: string } | null> {
  try {
    const response = await fetch(`${merchantApi}/v1/redemptions`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-api-key": merchant.apiKey, "idempotency-key": key },
      body: JSON.stringify({ customerId, amountMinor: 1, commit: true }),
      signal: AbortSignal.timeout(answerLimitMs),
    });
    return { status: response.status, text: await response.text() };
  } catch {
    return null; // nobody knows whether it was taken
  }
}

/** Every acknowledged redemption is stored once, and no other is. */
export async function checkRedemptions(sql: Sql, { acknowledged }: Redemptions): Promise<string[]> {
  const stored = new Set((await sql<{ id: string }[]>`SELECT redemption_id AS id FROM cashback.redemption`).map(({ id }) => id));
  return [
    ...[...acknowledged].filter((id) => !stored.has(id)).map((id) => `redemption ${id} was acknowledged and is not there`),
    ...[...stored].filter((id) => !acknowledged.has(id)).map((id) => `redemption ${id} is there and was never acknowledged`),
  ];
}
