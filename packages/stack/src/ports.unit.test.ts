import { expect, test } from "vitest";
import { portFrom, stackPorts } from "./ports.ts";

test("the defaults keep clear of a standard installation of each server", () => {
  const ports = Object.values(stackPorts).map((setting) => portFrom(setting, {}));
  expect(ports).toEqual([15432, 19092, 18081]);
});

test("the environment names a port; empty text counts as not given", () => {
  expect(portFrom(stackPorts.kafka, { PERKS_KAFKA_PORT: "29092" })).toBe(29_092);
  expect(portFrom(stackPorts.kafka, { PERKS_KAFKA_PORT: "" })).toBe(19_092);
});

test.each(["0", "65536", "kafka", "1.5"])("%s is no port, and the message names the variable", (text) => {
  expect(() => portFrom(stackPorts.kafka, { PERKS_KAFKA_PORT: text })).toThrow(/PERKS_KAFKA_PORT must be a port/);
});
