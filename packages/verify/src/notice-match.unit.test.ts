import { describe, expect, test } from "vitest";
import { type FoundNotice, NoticeMatch } from "./notice-match.ts";

const place = { partition: 0, offset: 0, n: 0 };
const noticeOf = (id: string) => ({ id, key: "k", value: Buffer.from(id) });

function matchOf(stored: readonly string[]) {
  const left: FoundNotice[] = stored.map((id, offset) => ({ id, value: Buffer.from(id), offset }));
  const pairs: string[] = [];
  let pulled = 0;
  const match = new NoticeMatch<"tier" | "cashback">(
    async () => {
      pulled++;
      return left.shift();
    },
    ({ notice }) => void pairs.push(notice.id),
  );
  return { match, pairs, pulled: () => pulled };
}

describe("notifications of a customer", () => {
  test("are paired by id, whatever the order of the programs", async () => {
    const { match, pairs } = matchOf(["c1", "t1", "c2"]);
    match.expect("tier", noticeOf("t1"), place);
    await match.settle();
    for (const id of ["c1", "c2"]) match.expect("cashback", noticeOf(id), place);
    const { missing, unexpected, looked } = await match.finish();
    expect([missing, unexpected, looked]).toEqual([[], [], 3]);
    expect(pairs.toSorted()).toEqual(["c1", "c2", "t1"]);
  });

  test("what is missing and what nobody expects is left", async () => {
    const { match } = matchOf(["a", "x"]);
    for (const id of ["a", "b"]) match.expect("tier", noticeOf(id), place);
    const { missing, unexpected } = await match.finish();
    expect(missing.map(({ notice, order }) => [notice.id, order])).toEqual([["b", 1]]);
    expect(unexpected.map(({ id }) => id)).toEqual(["x"]);
  });

  test("looking ahead is bounded", async () => {
    const { match, pulled } = matchOf(Array.from({ length: 1_000 }, (_, i) => `s${i}`));
    match.expect("tier", noticeOf("nowhere"), place);
    await match.settle();
    expect(pulled()).toBeLessThan(100);
  });
});
