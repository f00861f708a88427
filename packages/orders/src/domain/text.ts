const SURROGATE = /[\uD800-\uDFFF]/;

/**
 * What is wrong with a text: more than `max` characters (code points), U+0000 (Postgres cannot store it), or half a surrogate pair.
 * Bytes that were no UTF-8 do not get here: the decoder refuses them.
 */
export function textProblem(field: string, text: string, max: number): string | null {
  if (text.includes("\u0000")) return `${field} must not contain U+0000`;
  if (text.length <= max && !SURROGATE.test(text)) return null;
  if (!text.isWellFormed()) return `${field} must be valid UTF-8`;
  return text.length > 2 * max || countCharacters(text) > max ? `${field} must be at most ${max} characters` : null;
}

// A surrogate pair is one character.
function countCharacters(text: string): number {
  return Array.from(text).length;
}
