import { refuse, type Refusal } from "../errors.ts";

/** A strong ETag of a version. */
export const etagOf = (version: number): string => `"${version}"`;

/** What If-Match asks for: any of these versions; null when the header is absent. Weak and foreign tags match nothing. */
export type IfMatch = null | "*" | ReadonlySet<string>;

export function parseIfMatch(header: string | undefined): IfMatch {
  if (header === undefined || header.trim() === "") return null;
  if (header.trim() === "*") return "*";
  return new Set(header.split(",").map((tag) => tag.trim()));
}

/** Null when the write may go on, else 412. */
export function checkVersion(ifMatch: IfMatch, version: number): Refusal | null {
  if (ifMatch === null || ifMatch === "*" || ifMatch.has(etagOf(version))) return null;
  return refuse("stale_version", `the current version is ${version}`);
}
