/** "Everything up to and with this record of notifications.v1 was seen"; offset -1 is before the first one. */
export interface Cursor {
  readonly partition: number;
  readonly offset: number;
}

const form = /^(0|[1-9]\d{0,8}):(-1|0|[1-9]\d{0,15})$/;

/** `<partition>:<offset>` or null when the text is not a cursor. */
export function parseCursor(text: string): Cursor | null {
  const match = form.exec(text);
  if (match === null) return null;
  const offset = Number(match[2]);
  if (!Number.isSafeInteger(offset)) return null;
  return { partition: Number(match[1]), offset };
}

export function formatCursor(partition: number, offset: number): string {
  return `${partition}:${offset}`;
}
