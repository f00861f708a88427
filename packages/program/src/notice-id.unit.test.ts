import { describe, expect, it } from "vitest";
import { noticeId, uuidV5 } from "./notice-id.ts";

describe("ids of notifications", () => {
  it("are UUIDv5: the example of RFC 9562, appendix A.4", () => {
    expect(uuidV5("www.example.com")).toBe("2ed6657d-e927-568b-95e1-2665a8aea6a2");
  });

  it("depend on every part of the cause, and on nothing else", () => {
    const parts: [string, string, string, string, string] = ["tier", "TierChanged", "m", "çustomer", "orders.v1/0:1"];
    expect(noticeId(...parts)).toBe(noticeId(...parts, 0));
    const others = parts.map((_, i) => noticeId(...(parts.with(i, "x") as typeof parts)));
    expect(new Set([noticeId(...parts), noticeId(...parts, 1), ...others]).size).toBe(7);
  });

  it("refuse a name that does not fit instead of cutting it", () => {
    expect(() => uuidV5("x".repeat(2_100))).toThrow(RangeError);
  });
});
