import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { DriverPlayer } from "./testing/driver-player.ts";
import { playVector } from "./testing/expectations.ts";
import { openStage, type OpenStage } from "./testing/stage.ts";
import { loadVectors } from "./testing/vectors.ts";

let stage: OpenStage;

beforeAll(async () => {
  stage = await openStage(inject("stack").postgresUrl);
});

afterAll(() => stage.close());

describe("the worked cases, through the program and Postgres", () => {
  for (const vector of loadVectors()) {
    it(`${vector.id} ${vector.title}`, async () => {
      expect(await playVector(vector, await DriverPlayer.open(stage, vector))).toBeGreaterThan(0);
    });
  }
});
