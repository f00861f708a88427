import { readFileSync } from "node:fs";
import type { OrderEvent } from "@perkstream/contracts";
import type { Apply, Level, Settings } from "../domain/index.ts";
import { type LevelJson, levelOf } from "../store/ladders.ts";

/** The worked cases of vectors/vectors.json and found.json, parsed and with their defaults filled in; the tier program's side of them. */

type Json = Record<string, unknown>;

export interface LadderSpec {
  readonly settings: Settings;
  readonly levels: readonly Level[];
  readonly apply: Apply;
}

export interface PinSpec {
  readonly customerId: string;
  readonly levelId: string | null;
  readonly note: string;
  readonly actor: string;
  readonly untilAt: number | null;
}

export type VectorStep = { readonly atMs: number } & (
  | { readonly kind: "event"; readonly event: OrderEvent; readonly key: string }
  | { readonly kind: "raw"; readonly value: Buffer; readonly key: string }
  | { readonly kind: "sweep" }
  | { readonly kind: "pin" | "promote" | "demote" | "unpin"; readonly pin: PinSpec }
  | { readonly kind: "ladder" | "preview"; readonly ladder: LadderSpec }
  | { readonly kind: "expect"; readonly expect: Json }
);

export interface Vector {
  readonly id: string;
  readonly title: string;
  readonly merchantId: string;
  readonly currency: string;
  readonly timeZone: string;
  readonly ladder: LadderSpec;
  readonly steps: readonly VectorStep[];
}

interface File {
  readonly defaults: { readonly merchant: Json; readonly settings: Settings; readonly event: Json; readonly line: Json };
  readonly vectors: readonly Json[];
}

export function loadVectors(): Vector[] {
  const file = loadFile("vectors.json");
  return [file, loadFile("found.json")].flatMap(({ vectors }) => vectors.map((vector) => parseVector(file, vector)));
}

function loadFile(name: string): File {
  return JSON.parse(readFileSync(new URL(`../../../../vectors/${name}`, import.meta.url), "utf8")) as File;
}

/** Parses stories of the same format, also step by step. */
export function openParser(): { vectorOf(story: object): Vector; stepsOf(vector: Vector, step: object): VectorStep[] } {
  const file = loadFile("vectors.json");
  return {
    vectorOf: (story) => parseVector(file, story as Json),
    stepsOf: (vector, step) => parseStep(file, vector, step as Json, Date.parse(String((step as Json)["at"]))),
  };
}

function parseVector(file: File, vector: Json): Vector {
  const merchant = { ...file.defaults.merchant, ...(vector["merchant"] as Json) } as {
    merchantId: string;
    currency: string;
    timeZone: string;
  };
  let atMs = 0;
  const steps = (vector["steps"] as Json[]).flatMap((step) => {
    if (typeof step["at"] === "string") atMs = Date.parse(step["at"]);
    return parseStep(file, merchant, step, atMs);
  });
  return {
    id: String(vector["id"]),
    title: String(vector["title"]),
    ...merchant,
    ladder: parseLadder(file, vector["ladder"] as Json),
    steps,
  };
}

function parseStep(file: File, merchant: { merchantId: string; currency: string }, step: Json, atMs: number): VectorStep[] {
  if ("expect" in step) return [{ kind: "expect", atMs, expect: step["expect"] as Json }];
  if ("event" in step) return parseEvents(file, merchant, step, atMs);
  if ("raw" in step) {
    return [
      { kind: "raw", atMs, value: Buffer.from(textOr(step["raw"], ""), "hex"), key: textOr(step["key"], `${merchant.merchantId}:c1`) },
    ];
  }
  if ("sweep" in step) return [{ kind: "sweep", atMs }];
  for (const kind of ["pin", "unpin", "promote", "demote"] as const) {
    if (kind in step) return [{ kind, atMs, pin: parsePin(step[kind] as Json) }];
  }
  for (const kind of ["ladder", "preview"] as const) {
    if (kind in step) return [{ kind, atMs, ladder: parseLadder(file, step[kind] as Json) }];
  }
  return []; // campaigns and redemptions are not the tier program's
}

function textOr(value: unknown, otherwise: string): string {
  return typeof value === "string" ? value : otherwise;
}

function parsePin(spec: Json): PinSpec {
  return {
    customerId: String(spec["customerId"]),
    levelId: (spec["levelId"] as string | undefined) ?? null,
    note: textOr(spec["reason"], ""),
    actor: textOr(spec["actor"], "somebody"),
    untilAt: typeof spec["until"] === "string" ? Date.parse(spec["until"]) : null,
  };
}

function parseLadder(file: File, spec: Json): LadderSpec {
  const levels = spec["levels"] as LevelJson[];
  return {
    settings: { ...file.defaults.settings, ...(spec["settings"] as Partial<Settings>) },
    levels: levels.map(levelOf),
    apply: (spec["apply"] as Apply | undefined) ?? "immediate",
  };
}

function parseEvents(file: File, merchant: { merchantId: string; currency: string }, step: Json, atMs: number): VectorStep[] {
  const copies = Number(step["copies"] ?? 1);
  return Array.from({ length: copies }, (_, i) => {
    const spec = step["event"] as Json;
    const event = parseEvent(file, merchant, copies === 1 ? spec : { ...spec, orderId: `${String(spec["orderId"])}-${i + 1}` }, atMs);
    return { kind: "event", atMs, event, key: textOr(step["key"], `${event.merchantId}:${event.customerId}`) };
  });
}

function parseEvent(file: File, merchant: { merchantId: string; currency: string }, spec: Json, atMs: number): OrderEvent {
  const text = (name: string): string => String(spec[name]);
  const base = {
    merchantId: typeof spec["merchantId"] === "string" ? spec["merchantId"] : merchant.merchantId,
    customerId: text("customerId"),
    orderId: text("orderId"),
    occurredAt: typeof spec["occurredAt"] === "string" ? Date.parse(spec["occurredAt"]) : atMs,
  };
  const lines = ((spec["lines"] as Json[] | undefined) ?? []).map((line) => Object.assign({}, file.defaults.line, line));
  const minor = (value: unknown): bigint => BigInt(Number(value));
  switch (spec["type"]) {
    case "OrderPlaced":
      return {
        type: "OrderPlaced",
        ...base,
        currency: typeof spec["currency"] === "string" ? spec["currency"] : merchant.currency,
        lines: lines.map((line) => ({
          sku: String(line["sku"]),
          category: (line["category"] as string | null | undefined) ?? null,
          quantity: Number(line["quantity"]),
          netMinor: minor(line["netMinor"]),
        })),
        paidWithCashbackMinor: minor(spec["paidWithCashbackMinor"] ?? 0),
      };
    case "OrderRefunded":
      return {
        type: "OrderRefunded",
        ...base,
        refundId: text("refundId"),
        lines: lines.map((line) => ({ line: Number(line["line"]), netMinor: minor(line["netMinor"]) })),
      };
    default:
      return { type: "OrderCancelled", ...base, reason: (spec["reason"] as string | null | undefined) ?? null };
  }
}
