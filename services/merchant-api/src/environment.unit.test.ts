import { parseEnvironment } from "@perkstream/service";
import { expect, test } from "vitest";
import { environment, jwksOf } from "./environment.ts";

const given = {
  DATABASE_URL: "postgres://localhost/perks",
  KAFKA_BROKERS: "localhost:9092",
  SCHEMA_REGISTRY_URL: "http://localhost:8085",
  PERKS_JWT_SECRET: "a secret of at least thirty-two bytes",
  PERKS_JWKS_URL: "https://issuer.example/keys",
};

test("a key set needs an issuer, which is told with the other problems", () => {
  const broken = { ...given, MERCHANT_API_PORT: "x", PERKS_JWT_SECRET: "short" };
  for (const name of ["PERKS_JWT_ISSUER", "MERCHANT_API_PORT", "PERKS_JWT_SECRET"]) {
    expect(() => parseEnvironment(environment, broken)).toThrow(`${name}: `);
  }
  expect(jwksOf(parseEnvironment(environment, { ...given, PERKS_JWT_ISSUER: "issuer" }))).toMatchObject({ issuer: "issuer" });
});
