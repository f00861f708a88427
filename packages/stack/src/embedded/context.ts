import type { StackError } from "../errors.ts";
import type { Guard } from "../process/guard.ts";

/** What the three embedded servers share. */
export interface EmbeddedContext {
  readonly dataDir: string;
  readonly runDir: string;
  readonly logDir: string;
  readonly env: NodeJS.ProcessEnv;
  readonly ephemeral: boolean;
  readonly guard: Guard;
  readonly onCrash: (error: StackError) => void;
}
