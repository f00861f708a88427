import { describe, expect, it } from "vitest";
import { classify, DefectError, FenceLostError, type FailureKind } from "./errors.ts";

/** Like PostgresError and Node's system errors: an Error with a code. */
const coded = (code: string) => Object.assign(new Error("failed"), { code });
const named = (name: string) => Object.assign(new Error("failed"), { name });

const cases: readonly (readonly [string, unknown, FailureKind])[] = [
  ["a lost fence", new FenceLostError([3]), "fence"],
  ["a defect of decide, whatever caused it", new DefectError(0, 7, coded("ECONNRESET")), "defect"],
  ["unique violation", coded("23505"), "repeat"],
  ["deadlock", coded("40P01"), "repeat"],
  ["serialization failure", coded("40001"), "repeat"],
  ["numeric value out of range", coded("22003"), "data"],
  ["a byte that is no UTF-8", coded("22021"), "data"],
  ["connection failure", coded("08006"), "outage"],
  ["too many connections", coded("53300"), "outage"],
  ["administrator's shutdown", coded("57P01"), "outage"],
  ["statement timeout", coded("57014"), "outage"],
  ["lock timeout", coded("55P03"), "outage"],
  ["idle in transaction", coded("25P03"), "outage"],
  ["read-only standby", coded("25006"), "outage"],
  ["input/output error", coded("58030"), "outage"],
  ["connection closed, as postgres.js says it", coded("CONNECTION_CLOSED"), "outage"],
  ["connect timeout, as postgres.js says it", coded("CONNECT_TIMEOUT"), "outage"],
  ["connection refused", coded("ECONNREFUSED"), "outage"],
  ["name not resolved", coded("EAI_AGAIN"), "outage"],
  ["all addresses refused", new AggregateError([coded("ECONNREFUSED"), coded("ECONNREFUSED")]), "outage"],
  ["several errors, the first a bug", new AggregateError([new RangeError("x")]), "defect"],
  ["kafkajs, broker away", named("KafkaJSConnectionError"), "outage"],
  ["kafkajs, retries used up", named("KafkaJSNumberOfRetriesExceeded"), "outage"],
  ["kafkajs, connection lost before a request", new Error("Broker not connected"), "outage"],
  ["the schema registry away", Object.assign(named("RegistryError"), { retryable: true }), "outage"],
  ["a schema that is not registered", Object.assign(named("RegistryError"), { retryable: false }), "defect"],
  ["retryable in another sense", Object.assign(new Error("failed"), { retryable: "yes" }), "defect"],
  ["a bug says that it is retryable and has a code of data", Object.assign(coded("22003"), { retryable: true }), "data"],
  ["syntax error in a statement", coded("42601"), "defect"],
  ["a check violation", coded("23514"), "defect"],
  ["a code that is no text", Object.assign(new Error("failed"), { code: 22 }), "defect"],
  ["RangeError", new RangeError("out of range"), "defect"],
  ["TypeError", new TypeError("undefined is not a function"), "defect"],
  ["no error", "text", "defect"],
  ["nothing", undefined, "defect"],
  ["no error, though retryable", { retryable: true }, "defect"],
];

describe("classify", () => {
  it.each(cases)("%s", (_, error, kind) => {
    expect(classify(error)).toBe(kind);
  });
});
