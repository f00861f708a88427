import { parseArgs } from "node:util";

export const usage = `npm run verify -- [options]
  --merchant <id>     only this merchant (partition-wide chains and counters are left out)
  --program <name>    only the differences of tier or cashback
  --limit <n>         differences of one kind that are printed; default 20, the rest is counted
  --json              a line of JSON for each difference, and one for the summary`;

const PROGRAMS = ["tier", "cashback"] as const;
export type VerifiedProgram = (typeof PROGRAMS)[number];

export interface VerifyOptions {
  readonly merchantId: string | null;
  readonly programs: readonly VerifiedProgram[];
  readonly limit: number;
  readonly json: boolean;
}

/** The command line cannot be read; the message names the option. */
export class VerifyOptionError extends Error {
  override readonly name = "VerifyOptionError";
}

export function parseVerifyOptions(args: readonly string[]): VerifyOptions {
  const { merchant, program, limit, json } = parse(args);
  const programs = PROGRAMS.filter((name) => program === undefined || program === name);
  if (programs.length === 0) throw new VerifyOptionError(`--program must be one of ${PROGRAMS.join(", ")}, not "${program}"`);
  const most = Number(limit);
  if (!Number.isSafeInteger(most) || most < 0) throw new VerifyOptionError(`--limit must be a number of 0 or more, not "${limit}"`);
  if (merchant !== undefined && !/^[0-9a-f-]{36}$/.test(merchant))
    throw new VerifyOptionError(`--merchant must be a merchant's id, not "${merchant}"`);
  return { merchantId: merchant ?? null, programs, limit: most, json };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        merchant: { type: "string" },
        program: { type: "string" },
        limit: { type: "string", default: "20" },
        json: { type: "boolean", default: false },
      },
    }).values;
  } catch (error) {
    throw new VerifyOptionError(error instanceof Error ? error.message : String(error));
  }
}
