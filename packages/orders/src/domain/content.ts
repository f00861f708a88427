import type { OrderEvent } from "@perkstream/contracts";

/**
 * The first field in which two decoded records differ (`lines[1].netMinor`), null when their content is the same.
 * Both come through one reader schema: a field that one writer did not know has its default in both.
 */
export function sameContent(a: OrderEvent, b: OrderEvent): string | null {
  return difference(a, b, "");
}

function difference(a: unknown, b: unknown, path: string): string | null {
  if (a === b) return null;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return path;
  if (Array.isArray(a) && Array.isArray(b) && a.length !== b.length) return path;
  const left = new Map<string, unknown>(Object.entries(a));
  const right = new Map<string, unknown>(Object.entries(b));
  for (const name of new Set([...left.keys(), ...right.keys()])) {
    const inner = Array.isArray(a) ? `${path}[${name}]` : path === "" ? name : `${path}.${name}`;
    const found = difference(left.get(name), right.get(name), inner);
    if (found !== null) return found;
  }
  return null;
}
