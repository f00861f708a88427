import { expect, test } from "vitest";
import { parseVerifyOptions } from "./options.ts";

test("without options everything is verified", () => {
  expect(parseVerifyOptions([])).toEqual({ merchantId: null, programs: ["tier", "cashback"], limit: 20, json: false });
});

test("one merchant, one program, as JSON", () => {
  const merchant = "4f981b0b-accf-4eb7-8018-7cd651c7e907";
  const args = ["--merchant", merchant, "--program", "tier", "--limit", "0", "--json"];
  expect(parseVerifyOptions(args)).toEqual({ merchantId: merchant, programs: ["tier"], limit: 0, json: true });
});

test("what cannot be meant is refused with the option's name", () => {
  for (const [args, message] of [
    [["--program", "inbox"], "--program"],
    [["--limit", "-1"], "--limit"],
    [["--merchant", "acme"], "--merchant"],
    [["--what"], "--what"],
  ] as const) {
    expect(() => parseVerifyOptions(args)).toThrow(message);
  }
});
