import { parseArgs } from "node:util";

export const usage = `npm run redrive -- [options]
  --id <id>             this dead letter, redriven before or not; may be given several times
  --reason <reason>     only those of this reason, such as unknown_merchant
  --program <name>      only those that this program made; each program that has one of the same event reads it again
  --from <time>         made at this time or later (ISO 8601)
  --to <time>           made before this time
  --merchant <id|none>  development: whose; default the demo merchant. none: of no known merchant
  --api <url>           default: MERCHANT_API_URL, or the local one
  --dry-run             only tells what would be read once more
Without --id: all that were not redriven yet. Credentials: PERKS_API_KEY (a merchant's key of role operator or owner), for
--merchant none PERKS_BOOTSTRAP_KEY; in development none are needed.`;

/** Which dead letters. */
export interface Selection {
  readonly ids: readonly string[];
  readonly reason: string | null;
  readonly program: string | null;
  /** ms; from is included, to is not. */
  readonly from: number | null;
  readonly to: number | null;
}

export interface RedriveOptions extends Selection {
  readonly merchant: string | null;
  readonly api: string | null;
  readonly isDryRun: boolean;
}

/** The command line cannot be read; the message names the option. */
export class RedriveOptionError extends Error {
  override readonly name = "RedriveOptionError";
}

export function parseRedriveOptions(args: readonly string[]): RedriveOptions {
  const { values } = parse(args);
  const ids = values.id ?? [];
  const filters = (["reason", "program", "from", "to"] as const).filter((name) => values[name] !== undefined);
  if (ids.length > 0 && filters.length > 0) throw new RedriveOptionError(`--id and --${filters[0]} do not go together`);
  return {
    ids,
    reason: values.reason ?? null,
    program: values.program ?? null,
    from: time("from", values.from),
    to: time("to", values.to),
    merchant: values.merchant ?? null,
    api: values.api ?? null,
    isDryRun: values["dry-run"],
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        id: { type: "string", multiple: true },
        reason: { type: "string" },
        program: { type: "string" },
        from: { type: "string" },
        to: { type: "string" },
        merchant: { type: "string" },
        api: { type: "string" },
        "dry-run": { type: "boolean", default: false },
      },
    });
  } catch (error) {
    throw new RedriveOptionError(error instanceof Error ? error.message : String(error));
  }
}

function time(name: string, text: string | undefined): number | null {
  if (text === undefined) return null;
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw new RedriveOptionError(`--${name} must be a time such as 2025-01-31T09:00:00Z, not "${text}"`);
  return ms;
}
