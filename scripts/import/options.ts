import { parseArgs } from "node:util";

export const usage = `npm run import -- <csv[.gz]> [options]
  --merchant <id>   default: a new merchant (GBP, Europe/London) made over the merchant API
  --shift-to-now    moves all times so that the last event is now; otherwise records carry the times of 2010 and 2011
  --speed max|N     N times as fast as it happened; default max`;

export interface ImportOptions {
  readonly file: string;
  readonly merchantId: string | null;
  readonly shiftToNow: boolean;
  /** Infinity for max. */
  readonly speed: number;
}

/** The command line cannot be read; the message names the option. */
export class ImportOptionError extends Error {
  override readonly name = "ImportOptionError";
}

export function parseImportOptions(args: readonly string[]): ImportOptions {
  const { values, positionals } = parse(args);
  const [file, ...more] = positionals;
  if (file === undefined || more.length > 0) throw new ImportOptionError("exactly one file is wanted");
  const speed = values.speed === "max" ? Infinity : Number(values.speed);
  if (!(speed > 0)) throw new ImportOptionError(`--speed must be max or a number above 0, not "${values.speed}"`);
  return { file, merchantId: values.merchant ?? null, shiftToNow: values["shift-to-now"], speed };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        merchant: { type: "string" },
        "shift-to-now": { type: "boolean", default: false },
        speed: { type: "string", default: "max" },
      },
    });
  } catch (error) {
    throw new ImportOptionError(error instanceof Error ? error.message : String(error));
  }
}
