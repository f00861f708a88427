import { parseArgs } from "node:util";
import { allPlaces, type Choice, faultKinds } from "./schedule.ts";

export const usage = `npm run chaos -- [options]
  --seed 1           the same seed makes the same schedule
  --minutes 3        of faults; start, healing and checks come on top
  --rate 30          orders, refunds, repeats and broken records a second
  --online 24        customers that are online
  --faults <kinds>   only these, with commas between: ${faultKinds.join(", ")}
  --on <names>       only on these, with commas between: ${allPlaces.join(", ")}
  --dry-run          prints the schedule and ends
  --keep             leaves the data folder and its logs where they are
  --planted [name]   plants known bugs in a copy of this checkout, one after the other or the one named, and tells which were caught`;

export interface ChaosOptions {
  readonly seed: number;
  readonly minutes: number;
  readonly rate: number;
  readonly online: number;
  readonly faults: Choice;
  readonly dryRun: boolean;
  readonly keep: boolean;
  /** Null: the product as it is. "": every planted bug. */
  readonly planted: string | null;
}

/** The command line cannot be read; the message names the option. */
export class ChaosOptionError extends Error {
  override readonly name = "ChaosOptionError";
}

export function parseChaosOptions(args: readonly string[]): ChaosOptions {
  const { values, positionals } = parse(args);
  if (!values.planted && positionals.length > 0) throw new ChaosOptionError(`"${positionals[0]}" is not an option`);
  return {
    seed: number(values.seed, "seed", 0, 2 ** 32 - 1),
    minutes: number(values.minutes, "minutes", 0, 7 * 24 * 60),
    rate: number(values.rate, "rate", 1, 1_000),
    online: number(values.online, "online", 0, 1_000),
    faults: {
      kinds: values.faults === "" ? faultKinds : chosen("faults", values.faults, faultKinds),
      on: values.on === "" ? [] : chosen("on", values.on, allPlaces),
    },
    dryRun: values["dry-run"],
    keep: values.keep,
    planted: values.planted ? (positionals[0] ?? "") : null,
  };
}

function parse(args: readonly string[]) {
  const text = (fallback: string) => ({ type: "string", default: fallback }) as const;
  const flag = { type: "boolean", default: false } as const;
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        seed: text("1"),
        minutes: text("3"),
        rate: text("30"),
        online: text("24"),
        faults: text(""),
        on: text(""),
        "dry-run": flag,
        keep: flag,
        planted: flag,
      },
    });
  } catch (error) {
    throw new ChaosOptionError(error instanceof Error ? error.message : String(error));
  }
}

function chosen<T extends string>(option: string, text: string, from: readonly T[]): T[] {
  return text.split(",").map((name) => {
    const found = from.find((one) => one === name.trim());
    if (found === undefined) throw new ChaosOptionError(`--${option}: "${name}" is none of ${from.join(", ")}`);
    return found;
  });
}

function number(text: string, name: string, least: number, most: number): number {
  const value = Number(text);
  if (text.trim() !== "" && value >= least && value <= most) return value;
  throw new ChaosOptionError(`--${name} must be a number from ${least} to ${most}, not "${text}"`);
}
