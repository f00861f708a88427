import { isUtf8 } from "node:buffer";

/**
 * Text of a buffer, faster than `Buffer.toString` for what records hold: a call into native code costs as much as a dozen
 * characters put together here, and the same merchant's id comes again and again.
 */

/** Up to this length V8 joins two strings by copying, so that no rope has to be flattened later. */
const shortUnits = 12;
const recentSlots = 64;

export class TextReader {
  private readonly recent: string[] = Array.from({ length: recentSlots }, () => "");

  /** The text of `bytes[start, end)`, which lie within the buffer; null when they are not UTF-8. */
  read(bytes: Buffer, start: number, end: number): string | null {
    const length = end - start;
    if (length <= shortUnits) return shortAscii(bytes, start, end) ?? wideText(bytes, start, end);
    const slot = (length * 31 + (bytes[start] ?? 0) + (bytes[end - 1] ?? 0) * 7) % recentSlots;
    const recent = this.recent[slot] ?? "";
    if (recent.length === length && equals(recent, bytes, start)) return recent;
    for (let i = start; i < end; i += 1) {
      if ((bytes[i] ?? 0) > 0x7f) return wideText(bytes, start, end);
    }
    const text = bytes.toString("latin1", start, end);
    // Long texts are not ids: keeping them would only hold memory.
    if (length <= 64) this.recent[slot] = text;
    return text;
  }
}

function equals(text: string, bytes: Buffer, start: number): boolean {
  for (let i = 0; i < text.length; i += 1) {
    if (text.charCodeAt(i) !== bytes[start + i]) return false;
  }
  return true;
}

/** Null when a byte is no ASCII. */
function shortAscii(bytes: Buffer, start: number, end: number): string | null {
  let text = "";
  let at = start;
  for (; at + 4 <= end; at += 4) {
    const a = bytes[at] ?? 0;
    const b = bytes[at + 1] ?? 0;
    const c = bytes[at + 2] ?? 0;
    const d = bytes[at + 3] ?? 0;
    if ((a | b | c | d) > 0x7f) return null;
    text += String.fromCharCode(a, b, c, d);
  }
  const a = bytes[at] ?? 0;
  const b = bytes[at + 1] ?? 0;
  const c = bytes[at + 2] ?? 0;
  switch (end - at) {
    case 0:
      return text;
    case 1:
      return a > 0x7f ? null : text + String.fromCharCode(a);
    case 2:
      return (a | b) > 0x7f ? null : text + String.fromCharCode(a, b);
    default:
      return (a | b | c) > 0x7f ? null : text + String.fromCharCode(a, b, c);
  }
}

function wideText(bytes: Buffer, start: number, end: number): string | null {
  return isUtf8(bytes.subarray(start, end)) ? bytes.toString("utf8", start, end) : null;
}
