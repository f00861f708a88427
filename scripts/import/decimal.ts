const decimalPattern = /^(-?)(\d+)(?:\.(\d+))?$/;

/** `quantity` × `price` in minor units of a currency with two decimals, exactly; halves are rounded up (away from zero). */
export function lineMinor(quantity: bigint, price: string): bigint {
  const match = decimalPattern.exec(price);
  if (match === null) throw new RangeError(`not a decimal number: "${price}"`);
  const [, sign, whole = "", fraction = ""] = match;
  const scale = 10n ** BigInt(fraction.length);
  const digits = BigInt(whole + fraction) * (sign === "-" ? -1n : 1n);
  const scaled = quantity * digits * 100n;
  const size = scaled < 0n ? -scaled : scaled;
  const rounded = (2n * size + scale) / (2n * scale);
  return scaled < 0n ? -rounded : rounded;
}
