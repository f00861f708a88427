import { describe, expect, it } from "vitest";
import { BrokerOffsets } from "./broker-offsets.ts";

/** A broker whose answers are those of the moment of the question and come when the test lets them. */
function broker() {
  const answers: { give: () => void; fail: () => void }[] = [];
  const state = { high: 5, answers };
  const offsets = new BrokerOffsets(
    {
      connect: async () => {},
      disconnect: async () => {},
      deleteGroups: async () => [],
      fetchTopicOffsets: () => {
        const { promise, resolve, reject } = Promise.withResolvers<{ partition: number; offset: string; low: string; high: string }[]>();
        const high = String(state.high);
        answers.push({ give: () => resolve([{ partition: 0, offset: high, low: "0", high }]), fail: () => reject(new Error("away")) });
        return promise;
      },
    },
    "topic",
  );
  const asked = (count: number) => expect.poll(() => answers.length).toBe(count);
  return { state, answers, offsets, asked };
}

describe("BrokerOffsets", () => {
  it("never answers with what was asked before the call", async () => {
    const { state, answers, offsets, asked } = broker();
    const first = offsets.read();
    await asked(1);
    state.high = 9;
    const [second, third] = [offsets.read(), offsets.read()];
    answers[0]!.give();
    expect((await first).get(0)?.high).toBe(5);
    await asked(2);
    answers[1]!.give();
    expect([(await second).get(0)?.high, (await third).get(0)?.high]).toEqual([9, 9]);
    expect(answers.length).toBe(2);
  });

  it("asks anew after a question that failed", async () => {
    const { answers, offsets, asked } = broker();
    const first = offsets.read();
    await asked(1);
    const second = offsets.read();
    answers[0]!.fail();
    await expect(first).rejects.toThrow("away");
    await asked(2);
    answers[1]!.give();
    expect((await second).get(0)?.high).toBe(5);
    const third = offsets.read();
    await asked(3);
    answers[2]!.give();
    await third;
  });
});
