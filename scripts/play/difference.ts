export interface Difference {
  readonly path: string;
  readonly expected: unknown;
  readonly got: unknown;
}

const isTime = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;

/** Compares only the keys that `expected` gives; null is absent or null, arrays have the same length, times are instants. */
export function differences(path: string, expected: unknown, got: unknown): Difference[] {
  if (expected === null || expected === undefined) return got === null || got === undefined ? [] : [{ path, expected: null, got }];
  if (Array.isArray(expected)) {
    if (!Array.isArray(got) || got.length !== expected.length) return [{ path, expected, got: got ?? null }];
    return expected.flatMap((item, n) => differences(`${path}[${n}]`, item, got[n]));
  }
  if (typeof expected === "object") {
    if (typeof got !== "object" || got === null) return [{ path, expected, got: got ?? null }];
    return Object.entries(expected).flatMap(([key, item]) => differences(`${path}.${key}`, item, (got as Record<string, unknown>)[key]));
  }
  return sameValue(expected, got) ? [] : [{ path, expected, got: got ?? null }];
}

function sameValue(expected: unknown, got: unknown): boolean {
  if (expected === got) return true;
  if (typeof expected !== "string" || typeof got !== "string" || !isTime.test(expected) || !isTime.test(got)) return false;
  return Date.parse(expected) === Date.parse(got);
}

/**
 * Compares in any order: each expected item must find one of its own. `matches` says whether two fit; what finds nothing and what
 * nothing asked for are told together as one difference.
 */
export function anyOrder<E, G>(
  path: string,
  expected: readonly E[],
  got: readonly G[],
  matches: (expected: E, got: G) => boolean,
  show: (got: G) => unknown,
): Difference[] {
  const takenBy = new Map<number, number>();
  // A partial item may fit several: those before it give way when another one is left for them (an augmenting path).
  const place = (item: number, tried: Set<number>): boolean => {
    const fitting = got.flatMap((candidate, n) => (!tried.has(n) && matches(expected[item] as E, candidate) ? [n] : []));
    const free = fitting.find((n) => !takenBy.has(n));
    const chosen =
      free ??
      fitting.find((n) => {
        if (tried.has(n)) return false;
        tried.add(n);
        return place(takenBy.get(n) ?? -1, tried);
      });
    if (chosen === undefined) return false;
    takenBy.set(chosen, item);
    return true;
  };
  const missing = expected.filter((_, item) => !place(item, new Set()));
  const surplus = got.filter((_, n) => !takenBy.has(n)).map(show);
  return missing.length + surplus.length === 0 ? [] : [{ path, expected: { missing }, got: { surplus } }];
}
