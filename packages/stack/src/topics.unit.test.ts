import { expect, test } from "vitest";
import { topicSettings } from "./topics.ts";

test("development lets any record timestamp in and keeps every record", () => {
  expect(topicSettings(true)).toEqual({
    "message.timestamp.type": "CreateTime",
    "compression.type": "uncompressed",
    "message.timestamp.before.max.ms": "9223372036854775807",
    "message.timestamp.after.max.ms": "9223372036854775807",
    "retention.ms": "-1",
  });
});

test("production leaves retention to the operator", () => {
  expect(topicSettings(false)).toEqual({ "message.timestamp.type": "CreateTime", "compression.type": "uncompressed" });
});
