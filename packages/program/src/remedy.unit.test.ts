import type { Sql } from "@perkstream/postgres";
import { describe, expect, it } from "vitest";
import { classify } from "./errors.ts";
import { RemedyError, withRemedies } from "./remedy.ts";

// Only handed on.
const sql = {} as Sql;

describe("withRemedies", () => {
  it("does what a transaction asks for, with the given pool, and runs it again", async () => {
    const log: string[] = [];
    const result = await withRemedies(sql, async () => {
      log.push("attempt");
      if (log.length > 4) return "done";
      throw new RemedyError("locks", async (given) => void log.push(given === sql ? "remedy" : "another pool"));
    });
    expect([result, ...log]).toEqual(["done", "attempt", "remedy", "attempt", "remedy", "attempt"]);
  });

  it("gives up when nothing helps: the host tries again later", async () => {
    let attempts = 0;
    const failed = await withRemedies(sql, async () => {
      attempts += 1;
      throw new RemedyError("locks", async () => {});
    }).catch((error: unknown) => error);
    expect([attempts, classify(failed)]).toEqual([6, "repeat"]);
  });

  it.each(["transaction", "remedy"])("lets pass what a %s throws", async (where) => {
    const failure = new TypeError("x");
    const run = withRemedies(sql, async () => {
      throw where === "transaction" ? failure : new RemedyError("locks", async () => Promise.reject(failure));
    });
    await expect(run).rejects.toBe(failure);
  });
});
