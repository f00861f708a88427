import { sendEvents } from "./send-event.ts";
import type { Session } from "./session.ts";
import type { Step } from "./story.ts";

interface RedemptionAnswer {
  readonly redemptionId: string;
}

/** Does what a step says, as of its `at`. Throws AnswerError when the product answers what no text allows. */
export async function perform(step: Step, session: Session): Promise<void> {
  const now = step.at ?? "";
  session.latestMs = Math.max(session.latestMs, Date.parse(now), Date.parse(step.event?.occurredAt ?? now));
  if (step.event !== undefined || step.raw !== undefined) return sendEvents(step, session);
  if (step.sweep) return void (await session.client.call("POST", "/v1/dev/sweep", [200], { body: { at: now } }));
  if (step.ladder !== undefined) {
    await session.settleEvents();
    return session.putLadder(step.ladder, step.ladder.apply, now);
  }
  if (step.preview !== undefined) {
    await session.settleEvents();
    return session.preview(step.preview, step.preview.apply, now);
  }
  if (step.campaign !== undefined) {
    await session.settleEvents();
    return session.putCampaign(step.campaign, now);
  }
  if (step.pin !== undefined) {
    const { customerId, actor, levelId, reason = "story", until } = step.pin;
    const body = { levelId, reason, ...(until !== undefined && { until }) };
    const path = `${customerPath(customerId)}/pin`;
    return void (await session.command(await session.as(actor), `pin ${customerId}`, "PUT", path, { body, now }));
  }
  if (step.unpin !== undefined) {
    const { customerId, actor } = step.unpin;
    return void (await session.command(await session.as(actor), `unpin ${customerId}`, "DELETE", `${customerPath(customerId)}/pin`, {
      now,
    }));
  }
  for (const move of ["promote", "demote"] as const) {
    const command = step[move];
    if (command === undefined) continue;
    const { customerId, actor, reason = "story", until } = command;
    const body = { reason, ...(until !== undefined && { until }) };
    const path = `${customerPath(customerId)}/${move}`;
    return void (await session.command(await session.as(actor), `${move} ${customerId}`, "POST", path, { body, now }));
  }
  return redemptionStep(step, session, now);
}

async function redemptionStep(step: Step, session: Session, now: string): Promise<void> {
  const { client, redemptions } = session;
  const made = step.reserve ?? step.redeem;
  if (made !== undefined) {
    const { id, customerId, amountMinor, orderId } = made;
    const ttlSeconds = step.reserve?.ttlSeconds;
    const body = {
      customerId,
      amountMinor,
      ...(orderId !== undefined && { orderId }),
      ...(ttlSeconds === undefined ? { commit: true } : { ttlSeconds }),
    };
    const name = `${step.reserve === undefined ? "redeem" : "reserve"} ${id}`;
    const answer = await session.command<RedemptionAnswer>(client, name, "POST", "/v1/redemptions", { body, now });
    if (answer === null) return;
    const expiresAt = ttlSeconds === undefined ? Infinity : Date.parse(now) + ttlSeconds * 1000;
    redemptions.set(id, { redemptionId: answer.redemptionId, customerId, orderId, amountMinor, expiresAt, isOpen: true });
    return;
  }
  for (const end of ["commit", "release"] as const) {
    const command = step[end];
    if (command === undefined) continue;
    const redemption = redemptions.get(command.id);
    // One that was refused has no id of the product's: any that does not exist stands for it.
    const redemptionId = redemption?.redemptionId ?? crypto.randomUUID();
    const answer = await session.command(client, `${end} ${command.id}`, "POST", `/v1/redemptions/${redemptionId}/${end}`, { now });
    if (answer === null || redemption === undefined) continue;
    if (end === "commit") redemption.expiresAt = Infinity;
    else redemption.isOpen = false;
  }
}

const customerPath = (customerId: string) => `/v1/customers/${encodeURIComponent(customerId)}`;
