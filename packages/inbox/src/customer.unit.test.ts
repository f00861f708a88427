import { expect, test } from "vitest";
import { isCustomerId, parseCustomerKey } from "./customer.ts";

const merchant = "4f981b0b-accf-4eb7-8018-7cd651c7e907";

test.each([
  ["", false],
  ["c", true],
  ["c".repeat(64), true],
  ["c".repeat(65), false],
  ["😀".repeat(64), true],
  ["😀".repeat(65), false],
  ["😀".repeat(63) + "cc", false],
  ["c".repeat(10_000), false],
  ["a\u0000b", false],
  ["\ud800", false],
])("a customer's id has 1 to 64 characters that Postgres can hold, a pair of surrogates is one (case %#)", (customerId, fits) => {
  expect(isCustomerId(customerId)).toBe(fits);
  expect(parseCustomerKey(`${merchant}:${customerId}`)).toEqual(fits ? { merchant, customerId } : null);
});
