/** `{1,2,NULL}` of Postgres as numbers. Pools do not parse arrays themselves. */
export function parseInt8Array(text: string): number[] {
  return text.length <= 2 ? [] : text.slice(1, -1).split(",").map(Number);
}

/** `{1,2}` of Postgres as bigints. */
export function parseMinorArray(text: string): bigint[] {
  return text.length <= 2 ? [] : text.slice(1, -1).split(",").map(BigInt);
}
