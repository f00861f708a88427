import { expect, test } from "vitest";
import { parseCursor } from "./cursor.ts";
import { parseCustomerKey } from "./customer.ts";

test("a cursor is a partition and an offset, -1 before the first record", () => {
  expect(parseCursor("3:17")).toEqual({ partition: 3, offset: 17 });
  expect(parseCursor("0:-1")).toEqual({ partition: 0, offset: -1 });
  expect(parseCursor("11:9007199254740991")).toEqual({ partition: 11, offset: 9007199254740991 });
});

test.each(["", "3", "3:", ":3", "-1:3", "3:-2", "03:1", "3:01", "3:1 ", "3:1:2", "3:9007199254740993", "3:1e3", "a:b"])(
  "%j is no cursor",
  (text) => {
    expect(parseCursor(text)).toBeNull();
  },
);

test("a key names a merchant and a customer; a customer's id may contain colons", () => {
  const merchant = "4f981b0b-accf-4eb7-8018-7cd651c7e907";
  expect(parseCustomerKey(`${merchant}:a:b`)).toEqual({ merchant, customerId: "a:b" });
  expect(parseCustomerKey(`${merchant}:${"x".repeat(64)}`)).not.toBeNull();
  for (const bad of [
    "",
    merchant,
    `${merchant}:`,
    `${merchant}:${"x".repeat(65)}`,
    `${merchant.toUpperCase()}:a`,
    `${merchant}:\u0000`,
    "x:a",
  ]) {
    expect(parseCustomerKey(bad)).toBeNull();
  }
});
