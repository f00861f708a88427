import type { Sql } from "@perkstream/postgres";

/**
 * Thrown inside a transaction that cannot go on as things stand: it is rolled back, `remedy` is done in a transaction of its own,
 * and the same is tried again. For what needs more locks than the transaction may take.
 */
export class RemedyError extends Error {
  readonly remedy: (sql: Sql) => Promise<void>;

  constructor(message: string, remedy: (sql: Sql) => Promise<void>) {
    super(message);
    this.name = "RemedyError";
    this.remedy = remedy;
  }
}

/** A remedy should help at once; several may be needed one after the other. */
const MAX_REMEDIES = 5;

/**
 * Runs a transaction, with what it asks for done in between.
 *
 * @throws RemedyError when nothing helps (classified as `repeat`); what the transaction or a remedy throws
 */
export async function withRemedies<T>(sql: Sql, transaction: () => Promise<T>): Promise<T> {
  for (let remedies = 0; ; remedies += 1) {
    try {
      return await transaction();
    } catch (error) {
      if (!(error instanceof RemedyError) || remedies === MAX_REMEDIES) throw error;
      await error.remedy(sql);
    }
  }
}
