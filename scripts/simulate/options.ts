import { parseArgs } from "node:util";

export const usage = `npm run simulate -- [options]
  --rate 200         records a second
  --seconds 60       how long
  --customers 1000   drawn by Zipf's law
  --refunds 5%       refunds and cancellations
  --duplicates 1%    orders that are sent again
  --late 1%          orders from up to three days ago, some after their own refund
  --broken 0%        records that must become dead letters
  --seed 1           the same seed sends the same orders
  --run <text>       part of the order ids; default: the time of the start, so that no two runs collide
  --merchant <id>    default: the demo merchant
  --currency USD     the merchant's`;

export interface SimulateOptions {
  readonly rate: number;
  readonly seconds: number;
  readonly customers: number;
  readonly refunds: number;
  readonly duplicates: number;
  readonly late: number;
  readonly broken: number;
  readonly seed: number;
  readonly run: string | null;
  readonly merchantId: string;
  readonly currency: string;
}

const demoMerchant = "4f981b0b-accf-4eb7-8018-7cd651c7e907";

/** The command line cannot be read; the message names the option. */
export class OptionError extends Error {
  override readonly name = "OptionError";
}

export function parseOptions(args: readonly string[]): SimulateOptions {
  const text = (fallback: string) => ({ type: "string", default: fallback }) as const;
  let values: Record<string, string | undefined>;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        rate: text("200"),
        seconds: text("60"),
        customers: text("1000"),
        refunds: text("5%"),
        duplicates: text("1%"),
        late: text("1%"),
        broken: text("0%"),
        seed: text("1"),
        run: { type: "string" },
        merchant: text(demoMerchant),
        currency: text("USD"),
      },
    }));
  } catch (error) {
    throw new OptionError(error instanceof Error ? error.message : String(error));
  }
  const options: SimulateOptions = {
    rate: number(values, "rate", 0.001, 1_000_000),
    seconds: number(values, "seconds", 0, 100 * 366 * 86_400),
    customers: whole(values, "customers", 1, 10_000_000),
    refunds: share(values, "refunds"),
    duplicates: share(values, "duplicates"),
    late: share(values, "late"),
    broken: share(values, "broken"),
    seed: whole(values, "seed", 0, 2 ** 32 - 1),
    run: values["run"] ?? null,
    merchantId: values["merchant"] ?? demoMerchant,
    currency: values["currency"] ?? "USD",
  };
  if (options.refunds + options.duplicates + options.late + options.broken > 1)
    throw new OptionError("the shares add up to more than 100%");
  return options;
}

/** `5%` or `0.05`. */
function share(values: Readonly<Record<string, string | undefined>>, name: string): number {
  const text = values[name] ?? "";
  const value = text.endsWith("%") ? Number(text.slice(0, -1)) / 100 : Number(text);
  if (text.trim() === "" || !(value >= 0 && value <= 1))
    throw new OptionError(`--${name} must be a share such as 5% or 0.05, not "${text}"`);
  return value;
}

function number(values: Readonly<Record<string, string | undefined>>, name: string, least: number, most: number): number {
  const text = values[name] ?? "";
  const value = Number(text);
  if (text.trim() === "" || !(value >= least && value <= most))
    throw new OptionError(`--${name} must be a number from ${least} to ${most}, not "${text}"`);
  return value;
}

function whole(values: Readonly<Record<string, string | undefined>>, name: string, least: number, most: number): number {
  const value = number(values, name, least, most);
  if (!Number.isInteger(value)) throw new OptionError(`--${name} must be a whole number, not "${values[name] ?? ""}"`);
  return value;
}
