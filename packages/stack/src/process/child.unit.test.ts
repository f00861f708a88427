import { expect, test } from "vitest";
import { lastTelling } from "./child.ts";

test("the last line that speaks of an error is the telling one", () => {
  const log = "INFO starting\nFATAL: could not bind\n  at Server.listen (net.js)\nINFO shutting down\n";
  expect(lastTelling(log)).toBe("FATAL: could not bind");
});

test("without one it is the last line", () => {
  expect(lastTelling("one\ntwo.\n")).toBe("two");
  expect(lastTelling("\n")).toBeNull();
});

test("of a JSON log it is the message and the error's own", () => {
  const log = `{"level":30,"msg":"ready"}\n{"level":60,"msg":"service failed","err":{"message":"no table","stack":"…"}}\n{"level":30,"msg":"stopping"}\n`;
  expect(lastTelling(log)).toBe("Error: service failed: no table");
});
