import { join } from "node:path";

/** The clock of a process under the suite: Date of a service, moved by a module that is loaded before it (clock-step.ts). */

/** Holds by how much a process's clock is ahead, ms. */
export function clockFile(dataDir: string, name: string): string {
  return join(dataDir, "run", `${name}.clock`);
}

export const clockVariable = "PERKSTREAM_CHAOS_CLOCK";

export function clockEnvironment(dataDir: string, name: string): Record<string, string> {
  return { [clockVariable]: clockFile(dataDir, name) };
}

export const clockArguments = ["--import", new URL("clock-step.ts", import.meta.url).href];
