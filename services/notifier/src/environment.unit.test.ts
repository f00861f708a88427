import { parseEnvironment } from "@perkstream/service";
import { expect, test } from "vitest";
import { environment, tokenSettingsOf } from "./environment.ts";

const given = {
  DATABASE_URL: "postgres://localhost/perks",
  KAFKA_BROKERS: "localhost:9092",
  SCHEMA_REGISTRY_URL: "http://localhost:8085",
  PERKS_JWT_SECRET: "a secret of at least thirty-two bytes",
};

test("a key set needs an issuer, which is told with the other problems", () => {
  const jwks = { ...given, PERKS_JWKS_URL: "https://issuer.example/keys" };
  expect(() => parseEnvironment(environment, jwks)).toThrow("PERKS_JWT_ISSUER: is required with PERKS_JWKS_URL");
  const broken = { ...jwks, NOTIFIER_PORT: "x", PERKS_JWT_SECRET: "short" };
  for (const name of ["PERKS_JWT_ISSUER", "NOTIFIER_PORT", "PERKS_JWT_SECRET"]) {
    expect(() => parseEnvironment(environment, broken)).toThrow(`${name}: `);
  }
  const settings = tokenSettingsOf(parseEnvironment(environment, { ...jwks, PERKS_JWT_ISSUER: "issuer" }));
  expect(settings).toMatchObject({ jwks: { url: "https://issuer.example/keys", issuer: "issuer" } });
  expect(tokenSettingsOf(parseEnvironment(environment, given)).jwks).toBeUndefined();
});

test("a drain ends before the stop's deadline", () => {
  expect(parseEnvironment(environment, { ...given, PERKS_DRAIN_SECONDS: "25" }).PERKS_DRAIN_SECONDS).toBe(25);
  expect(() => parseEnvironment(environment, { ...given, PERKS_DRAIN_SECONDS: "26" })).toThrow("PERKS_DRAIN_SECONDS: ");
});
