import { createHash } from "node:crypto";
import type { Report, RowStream, Snapshot } from "@perkstream/verify";
import { programName } from "../notices.ts";
import { counter, sealedText, transferNumber } from "../store/ledger.ts";
import type { TransferRow } from "./rows.ts";

interface SealRow {
  readonly part: number;
  readonly n: bigint;
  readonly from_id: bigint;
  readonly to_id: bigint;
  readonly hash: Buffer;
}

/** How far a partition has numbered what it stores. */
export interface PartitionCounters {
  readonly partition: number;
  readonly counters: readonly number[];
}

/**
 * Every partition's transfers in the order of their numbers, and the chain of seals over them: numbers without a gap, each transfer under
 * one seal, each seal the hash of the one before it and of its transfers.
 */
export async function verifySeals(snapshot: Snapshot, partitions: readonly PartitionCounters[], report: Report): Promise<void> {
  const transfers = snapshot.open<TransferRow>(
    `SELECT acct, id, lot, debit, credit, kind, amount, off, request_id, as_of FROM cashback.transfer ORDER BY id`,
    2_000,
  );
  const seals = snapshot.open<SealRow>(`SELECT part, n, from_id, to_id, hash FROM cashback.seal ORDER BY part, n`, 2_000);
  for (const { partition, counters } of partitions) {
    const chain = new Chain(partition, report);
    await chain.walk(seals, transfers);
    chain.end(counters[counter.seals] ?? 0, counters[counter.transfers] ?? 0);
  }
  report.checked("partitions' ledgers", partitions.length);
}

/** The seals of one partition. */
class Chain {
  readonly #part: number;
  readonly #report: Report;
  /** Number of the last transfer and of the last seal. */
  #transfer = 0;
  #seal = 0;
  #head: Buffer | null = null;
  /** A seal whose hash is not that of its transfers: the next one tells whether they or the seal were changed. */
  #doubtful: { readonly n: number; readonly reckoned: Buffer; readonly stored: Buffer } | null = null;

  constructor(part: number, report: Report) {
    this.#part = part;
    this.#report = report;
  }

  async walk(seals: RowStream<SealRow>, transfers: RowStream<TransferRow>): Promise<void> {
    for (;;) {
      const seal = await seals.peek();
      if (seal === undefined || seal.part !== this.#part) break;
      seals.skip();
      await this.#one(seal, transfers);
    }
    this.#settleDoubt(null);
    for (;;) {
      const row = transfers.ready ?? (await transfers.peek());
      if (row === undefined || transferNumber.partition(row.id) !== this.#part) return;
      transfers.skip();
      this.#step(row);
      this.#differs("unexpected", { transfer: Number(row.id) }, null, { sealed: false }, "a transfer that no seal covers");
    }
  }

  async #one(seal: SealRow, transfers: RowStream<TransferRow>): Promise<void> {
    const n = Number(seal.n);
    if (n !== this.#seal + 1) this.#differs("missing", { seal: this.#seal + 1 }, { upTo: n - 1 }, null, "a seal is missing");
    const from = transferNumber.of(seal.from_id);
    if (n === this.#seal + 1 && from !== this.#transfer + 1 && this.#doubtful === null) {
      this.#differs(
        "changed",
        { seal: n },
        { fromTransfer: this.#transfer + 1 },
        { fromTransfer: from },
        "a seal does not begin where the one before it ends",
      );
    }
    this.#seal = n;
    const texts: string[] = [];
    for (;;) {
      const row = transfers.ready ?? (await transfers.peek());
      if (row === undefined || row.id > seal.to_id) break;
      transfers.skip();
      if (row.id < seal.from_id)
        this.#differs("unexpected", { transfer: Number(row.id) }, null, { sealed: false }, "a transfer that no seal covers");
      else texts.push(sealedText(fieldsOf(row)));
      this.#step(row);
    }
    // What is missing at the end of a seal.
    this.#gap(transferNumber.of(seal.to_id) + 1);
    this.#transfer = transferNumber.of(seal.to_id);
    this.#judge(n, texts.join(""), seal.hash);
    this.#report.checked("seals");
  }

  #judge(n: number, text: string, stored: Buffer): void {
    const reckoned = reckon(this.#head, text);
    const held = reckoned.equals(stored);
    // The chain goes on from what is stored; or from what it should be, if the next seal was made from that.
    const other = this.#doubtful === null ? null : reckon(this.#doubtful.reckoned, text);
    const otherHeld = other?.equals(stored) === true;
    if (this.#doubtful !== null) this.#settleDoubt(otherHeld ? "seal" : held ? "transfers" : null);
    if (!held && !otherHeld) this.#doubtful = { n, reckoned, stored };
    this.#head = stored;
  }

  #settleDoubt(changed: "seal" | "transfers" | null): void {
    const doubtful = this.#doubtful;
    if (doubtful === null) return;
    this.#doubtful = null;
    const note =
      changed === "seal"
        ? "the seal was changed: the one after it was made from what is expected here"
        : changed === "transfers"
          ? "its transfers were changed, or one is missing: the one after it was made from this hash"
          : "the seal or its transfers were changed";
    this.#differs(
      "changed",
      { seal: doubtful.n },
      { hash: doubtful.reckoned.toString("hex") },
      { hash: doubtful.stored.toString("hex") },
      note,
    );
  }

  #step(row: TransferRow): void {
    const number = transferNumber.of(row.id);
    this.#gap(number);
    this.#transfer = number;
  }

  #gap(next: number): void {
    if (next <= this.#transfer + 1) return;
    const first = this.#transfer + 1;
    this.#report.difference({
      program: programName,
      thing: "number",
      problem: "missing",
      where: { partition: this.#part, transfer: transferNumber.id(this.#part, first) },
      expected: { transfers: next - first },
      found: null,
      note: "transfers are numbered without a gap",
    });
  }

  end(seals: number, transfers: number): void {
    if (this.#seal !== seals)
      this.#differs("missing", { seal: this.#seal + 1 }, { lastSeal: seals }, { lastSeal: this.#seal }, "seals were numbered up to there");
    if (this.#transfer !== transfers) this.#gap(transfers + 1);
  }

  #differs(
    problem: "missing" | "unexpected" | "changed",
    where: Record<string, number>,
    expected: Record<string, string | number | boolean> | null,
    found: Record<string, string | number | boolean> | null,
    note: string,
  ): void {
    this.#report.difference({
      program: programName,
      thing: "seal",
      problem,
      where: { partition: this.#part, ...where },
      expected,
      found,
      note,
    });
  }
}

function reckon(head: Buffer | null, text: string): Buffer {
  const hash = createHash("sha256");
  if (head !== null) hash.update(head);
  return hash.update(text).digest();
}

function fieldsOf({ id, acct, lot, debit, credit, kind, amount, off, request_id, as_of }: TransferRow) {
  return { id, acct, lot, debit, credit, kind, amount, off, request_id, as_of: as_of.getTime() };
}
