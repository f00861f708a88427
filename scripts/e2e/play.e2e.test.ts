import { readFileSync } from "node:fs";
import { createKafka } from "@perkstream/program";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type OrderLog, openOrderLog } from "../play/log.ts";
import { playAll } from "../play/play-all.ts";
import type { Outcome } from "../play/play-story.ts";
import type { Through } from "../play/session.ts";
import { parseStories } from "../play/story.ts";
import { describeCommands } from "./interface/commands.ts";
import { describeDeadLetters } from "./interface/dead-letters.ts";
import { describeHabits } from "./interface/habits.ts";
import { describeOrders } from "./interface/orders.ts";
import { describeRedemptions } from "./interface/redemptions.ts";
import { describeRules } from "./interface/rules.ts";
import { type Product, startProduct } from "./product.ts";

/*
 * The product as others see it: the worked cases and the shapes of the interface, through HTTP, Kafka and the registry alone.
 */

let product: Product;
let log: OrderLog;

beforeAll(async () => {
  product = await startProduct();
  log = await openOrderLog(createKafka({ brokers: [product.kafka], clientId: "play-test" }), product.schemaRegistry);
}, 600_000);

afterAll(async () => {
  await log?.close();
  await product?.stop();
}, 600_000);

const stories = parseStories(readFileSync(new URL("../../vectors/vectors.json", import.meta.url), "utf8"));
const modes: readonly Through[] = ["kafka", "api"];

describe("a story", () => {
  const outcomes = new Map<string, Outcome>();

  // All of them at once, as many as the player does: one after the other they would mostly wait.
  beforeAll(async () => {
    const play = (through: Through) => {
      const surroundings = { api: product.merchantApi, bootstrapKey: "development", log, through };
      return playAll(stories, surroundings, { atOnce: 16, onOutcome: (outcome) => outcomes.set(`${outcome.id} ${through}`, outcome) });
    };
    await Promise.all(modes.map(play));
  }, 600_000);

  describe.each(modes)("with its events through %s", (through) => {
    it.each(stories.map(({ id, title }) => [id, title ?? ""]))("%s: %s", (id) => {
      expect(outcomes.get(`${id} ${through}`)?.differences).toEqual([]);
    });
  });
});

describe.concurrent("the interface", { timeout: 300_000 }, () => {
  const api = () => product.merchantApi;
  describeHabits(api, () => product.notifier);
  describeRules(api);
  describeOrders(api);
  describeCommands(api);
  describeRedemptions(api);
  describeDeadLetters(() => product);
});
