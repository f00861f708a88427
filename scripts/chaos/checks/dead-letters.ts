import type { Sql } from "@perkstream/postgres";
import { orderPrograms } from "../../start/services.ts";
import { brokenId, type Ledger } from "../ledger.ts";

interface DeadLetterRow {
  readonly part: number;
  readonly off: bigint;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly reason: string;
  readonly message: string;
}

/** Dead letters are of the broken records alone, each once with its cause and its bytes, and none is missing. */
export async function checkDeadLetters(sql: Sql, ledger: Ledger): Promise<{ violations: string[]; checked: number }> {
  const violations: string[] = [];
  let checked = 0;
  for (const program of [...orderPrograms, "inbox"]) {
    const rows = await sql.unsafe<DeadLetterRow[]>(`SELECT part, off, key, value, reason, message FROM ${program}.dead_letter`);
    const places = new Map<string, number>();
    for (const { part, off, key, value, reason, message } of rows) {
      checked += 1;
      const place = `${part}:${off}`;
      places.set(place, (places.get(place) ?? 0) + 1);
      const sent = ledger.broken.get(brokenId(String(key), value ?? Buffer.alloc(0)));
      if (sent === undefined)
        violations.push(`${program}: a dead letter at ${place} of a record that is not broken: ${reason}, ${message}`);
      else if (sent.reason !== reason)
        violations.push(`${program}: the dead letter at ${place} is ${reason} (${message}), not ${sent.reason}`);
    }
    for (const [place, count] of places) if (count > 1) violations.push(`${program}: ${count} dead letters at ${place}`);
    if (program === "inbox") continue;
    for (const { positions, reason } of ledger.broken.values()) {
      for (const { partition, offset } of positions)
        if (!places.has(`${partition}:${offset}`)) violations.push(`${program}: no dead letter at ${partition}:${offset} (${reason})`);
    }
  }
  return { violations, checked };
}
