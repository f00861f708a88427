import { expect } from "vitest";
import type { TierChanged } from "@perkstream/contracts";
import type { LadderSpec, PinSpec, Vector, VectorStep } from "./vectors.ts";

/** Whoever can live through a worked case: the domain alone, or the program with its database. */
export interface Player {
  event(step: VectorStep & { readonly kind: "event" | "raw" }): Promise<void>;
  sweep(atMs: number): Promise<void>;
  /** The code of a refusal, null when it was done. */
  command(kind: "pin" | "promote" | "demote" | "unpin", atMs: number, pin: PinSpec): Promise<string | null>;
  edit(atMs: number, ladder: LadderSpec): Promise<void>;
  preview(atMs: number, ladder: LadderSpec): Promise<{ up: number; down: number; stay: number }>;
  customer(customerId: string, atMs: number): Promise<CustomerSeen | null>;
  /** Remaining net per line. */
  remaining(orderId: string): Promise<readonly number[] | null>;
  takeNotices(): Promise<readonly TierChanged[]>;
  takeDeadLetters(): readonly string[];
  duplicates(): Promise<number>;
  parked(): Promise<number>;
}

export interface CustomerSeen {
  readonly tier: string | null;
  readonly metric: number;
  readonly lastPeriodMetric: number | null;
  readonly validUntil: string | null;
  readonly pinned: boolean;
  /** Oldest first. */
  readonly history: readonly ChangeSeen[];
}

export interface ChangeSeen {
  readonly from: string | null;
  readonly to: string | null;
  readonly reason: string;
  readonly actor: string;
  readonly asOf: number;
  readonly ruleVersion: number;
  readonly orderId: string | null;
  readonly offset: number;
}

type Json = Record<string, unknown>;

/** Plays a worked case and checks the tier program's side of its expectations. Resolves to the number of those. */
export async function playVector(vector: Vector, player: Player): Promise<number> {
  let checks = 0;
  const refusals: string[] = [];
  const previews: unknown[] = [];
  for (const step of vector.steps) {
    switch (step.kind) {
      case "event":
      case "raw":
        await player.event(step);
        break;
      case "sweep":
        await player.sweep(step.atMs);
        break;
      case "ladder":
        await player.edit(step.atMs, step.ladder);
        break;
      case "preview":
        previews.push(await player.preview(step.atMs, step.ladder));
        break;
      case "expect":
        checks++;
        await check(
          `${vector.id} at ${new Date(step.atMs).toISOString()}`,
          step.expect,
          step.atMs,
          player,
          refusals.splice(0),
          previews.splice(0),
        );
        break;
      default: {
        const refused = await player.command(step.kind, step.atMs, step.pin);
        if (refused !== null) refusals.push(`${step.kind} ${step.pin.customerId} ${refused}`);
      }
    }
  }
  return checks;
}

async function check(where: string, expected: Json, atMs: number, player: Player, refusals: string[], previews: unknown[]): Promise<void> {
  const notices = await player.takeNotices();
  const deadLetters = player.takeDeadLetters();
  const tierRefusals = (expected["refusals"] as string[] | undefined)?.filter((text) => /^(pin|unpin|promote|demote) /.test(text));
  if (tierRefusals !== undefined) expect(refusals, `${where}: refusals`).toEqual(tierRefusals);
  if ("previews" in expected) expect(previews, `${where}: previews`).toEqual(expected["previews"]);
  if ("deadLetters" in expected)
    expect(deadLetters.toSorted(), `${where}: dead letters`).toEqual((expected["deadLetters"] as string[]).toSorted());
  if ("duplicates" in expected) expect(await player.duplicates(), `${where}: duplicates`).toBe(expected["duplicates"]);
  if ("parked" in expected) expect(await player.parked(), `${where}: parked`).toBe(expected["parked"]);
  if ("notifications" in expected) checkNotices(where, expected["notifications"] as unknown[], notices);
  for (const [id, wanted] of Object.entries((expected["customers"] as Json | undefined) ?? {})) {
    checkPart(`${where}: ${id}`, withoutCashback(wanted), await player.customer(id, atMs));
  }
  for (const [id, wanted] of Object.entries((expected["orders"] as Json | undefined) ?? {})) {
    const remaining = await player.remaining(id);
    checkPart(`${where}: order ${id}`, wanted, remaining === null ? null : { remaining });
  }
}

function withoutCashback(wanted: unknown): unknown {
  if (wanted === null) return null;
  const { cashback: _, ...tier } = wanted as Json;
  return tier;
}

function checkNotices(where: string, wanted: readonly unknown[], seen: readonly TierChanged[]): void {
  const ours = wanted.filter((notice) =>
    typeof notice === "string" ? notice.startsWith("TierChanged") : (notice as Json)["type"] === "TierChanged",
  );
  const texts = seen.map(
    ({ customerId, fromTier, toTier, reason }) => `TierChanged ${customerId} ${fromTier ?? "none"}>${toTier ?? "none"} ${reason}`,
  );
  const left = seen.map((record, i) => ({ record: plain(record), text: texts[i] }));
  for (const notice of ours) {
    const found = left.findIndex((candidate) =>
      typeof notice === "string" ? candidate.text === notice : matches(notice, candidate.record),
    );
    if (found < 0) expect.fail(`${where}: ${JSON.stringify(notice)} is missing from ${JSON.stringify(left)}`);
    left.splice(found, 1);
  }
  expect(left, `${where}: notifications nobody expected`).toEqual([]);
}

function plain(record: TierChanged): Json {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, typeof value === "bigint" ? Number(value) : value]));
}

function checkPart(where: string, wanted: unknown, seen: unknown): void {
  if (!matches(wanted, seen)) expect.fail(`${where}: ${JSON.stringify(wanted)} expected, ${JSON.stringify(seen)} seen`);
}

/** Whether every key that is wanted is there; null is absent or null; instants may be written with or without milliseconds. */
function matches(wanted: unknown, seen: unknown): boolean {
  if (wanted === null) return seen === null || seen === undefined;
  if (Array.isArray(wanted)) {
    return Array.isArray(seen) && wanted.length === seen.length && wanted.every((item, i) => matches(item, seen[i]));
  }
  if (typeof wanted === "object") {
    if (typeof seen !== "object" || seen === null) return false;
    const fields = new Map<string, unknown>(Object.entries(seen));
    return Object.entries(wanted).every(([name, value]) => matches(value, fields.get(name)));
  }
  if (typeof wanted === "string" && typeof seen === "number" && wanted.endsWith("Z")) return Date.parse(wanted) === seen;
  return wanted === seen;
}
