import type { OutboxRow } from "./progress.ts";

/** Where a notification comes from: the outbox of a program's partition. `seq` is gapless per partition. */
export interface NoticeSource {
  readonly program: string;
  readonly partition: number;
  readonly epoch: number;
  readonly seq: number;
}

/** The one header of a notification: `<program>/<partition>/<epoch>/<seq>/<id>` (one, since each costs the client time). */
export const SOURCE_HEADER = "source";

const FORM = /^([a-z][a-z0-9_]*)\/(\d{1,9})\/(\d{1,15})\/(\d{1,15})\/([0-9a-f-]{36})$/;

/** The header of an outbox row. */
export function sourceHeader(program: string, row: OutboxRow): string {
  return `${program}/${row.partition}/${row.epoch}/${row.seq}/${row.notice.id}`;
}

/** Reads the header; null when the record has none or it is not of this form. */
export function readSource(headers: Readonly<Record<string, Buffer>>): (NoticeSource & { readonly id: string }) | null {
  const found = FORM.exec(headers[SOURCE_HEADER]?.toString("latin1") ?? "");
  if (found === null) return null;
  return { program: found[1]!, partition: Number(found[2]), epoch: Number(found[3]), seq: Number(found[4]), id: found[5]! };
}
