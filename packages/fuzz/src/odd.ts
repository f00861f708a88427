import * as fc from "fast-check";

/** Text on which parsers, databases and encoders stumble. */
export const oddText: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(
    "",
    " ",
    "\u0000",
    "a\u0000b",
    "\ud800",
    "\udc00x",
    "\ufffd",
    "\u202e",
    "x".repeat(65),
    "x".repeat(257),
    "x".repeat(20_000),
    "🎁".repeat(64),
    "e\u0301".repeat(64),
    "1e400",
    "NaN",
    "null",
    "__proto__",
    "constructor",
    "toString",
    "'; DROP TABLE x; --",
    "../../etc/passwd",
    "%00",
    "2025-13-45T99:99:99Z",
    "0000-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999999Z",
    "2025-01-01T00:00:00+99:99",
    "-271821-04-20T00:00:00Z",
    "Infinity",
    "9223372036854775808",
  ),
  fc.string({ unit: "binary", maxLength: 80 }),
  fc.string({ unit: "grapheme", maxLength: 40 }),
);

export const oddNumber: fc.Arbitrary<number> = fc.oneof(
  fc.constantFrom(
    -1,
    0,
    -0,
    0.5,
    1e-7,
    2 ** 31 - 1,
    2 ** 31,
    -(2 ** 31) - 1,
    2 ** 53 - 1,
    2 ** 53,
    -(2 ** 53),
    2 ** 63,
    1e21,
    1e308,
    5e-324,
  ),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);

/** Any JSON value that is not what was asked for. */
export const oddValue: fc.Arbitrary<unknown> = fc.oneof(
  oddText,
  oddNumber,
  fc.constantFrom<unknown>(null, true, false, [], {}, [[]], [null], [[[[[[[[]]]]]]]], { $ne: 1 }, { length: -1 }),
  fc.jsonValue({ maxDepth: 3 }),
);
