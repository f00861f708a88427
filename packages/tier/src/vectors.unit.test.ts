import { beforeAll, describe, expect, it } from "vitest";
import { playVector } from "./testing/expectations.ts";
import { MemoryPlayer, noticeCodec, type NoticeCodec } from "./testing/memory-player.ts";
import { loadVectors } from "./testing/vectors.ts";

let codec: NoticeCodec;

beforeAll(async () => {
  codec = await noticeCodec();
});

describe("the worked cases, in memory", () => {
  for (const vector of loadVectors()) {
    it(`${vector.id} ${vector.title}`, async () => {
      expect(await playVector(vector, new MemoryPlayer(vector, codec))).toBeGreaterThan(0);
    });
  }
});
