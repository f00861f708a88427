/**
 * Loaded into a service before all else: its Date is ahead of the system's by what a file says, read at the start and at each
 * SIGUSR2. Its monotonic clock and its timers go on as they are, as with a real step.
 */
import { readFileSync } from "node:fs";
import process from "node:process";
import { clockVariable } from "./clock.ts";

const RealDate = Date;
const realNow = RealDate.now;
let aheadMs = 0;

function read(): void {
  try {
    aheadMs = Number(readFileSync(process.env[clockVariable] ?? "", "utf8")) || 0;
  } catch {
    aheadMs = 0; // never stepped yet
  }
}

read();
process.on("SIGUSR2", read);
RealDate.now = () => realNow() + aheadMs;
globalThis.Date = new Proxy(RealDate, {
  construct: (target, args, newTarget) => Reflect.construct(target, args.length === 0 ? [RealDate.now()] : args, newTarget) as object,
});
