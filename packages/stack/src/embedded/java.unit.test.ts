import { expect, test } from "vitest";
import { javaCommand, javaMajor } from "./java.ts";

test.each([
  ['openjdk version "17.0.15" 2025-04-15', 17],
  ['openjdk version "21" 2023-09-19', 21],
  ['java version "1.8.0_402"', 8],
  ["command not found", 0],
])("%s is Java %i", (output, major) => {
  expect(javaMajor(output)).toBe(major);
});

test("JAVA_HOME goes before the PATH", () => {
  expect(javaCommand({ JAVA_HOME: "/opt/jdk" })).toBe("/opt/jdk/bin/java");
  expect(javaCommand({ JAVA_HOME: "" })).toBe("java");
});
