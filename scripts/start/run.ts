import { StackError } from "@perkstream/stack";
import { launch, type Launched } from "./launch.ts";
import { onStopRequest } from "./lifetime.ts";

export interface RunHooks {
  /** Writes a line for people. */
  readonly say: (line: string) => void;
  /** Called once when all is ready; what it returns is called first at the stop. */
  readonly onReady: (launched: Launched, fail: (error: Error) => void) => Promise<() => Promise<void>>;
}

/** Runs the whole product until a signal (exit code 0) or until something fails (exit code 1). */
export async function run({ say, onReady }: RunHooks): Promise<void> {
  const startedAt = performance.now();
  const end = Promise.withResolvers<Error | null>();
  const started = launch(process.env, (text, durationMs) => say(`  ${text} (${seconds(durationMs)})`), end.resolve);
  let stopExtra = async () => {};
  onStopRequest((reason) => {
    say(`Stopping (${reason}) …`);
    end.resolve(null);
  });
  started.ready
    .then(async (launched) => {
      say(`Ready in ${seconds(performance.now() - startedAt)}.`);
      stopExtra = await onReady(launched, end.resolve);
    })
    .catch((error: unknown) => end.resolve(error instanceof Error ? error : new Error(String(error))));

  const failure = await end.promise;
  if (failure !== null) say(describe(failure));
  await stopExtra();
  await started.stop();
  say("Stopped.");
  process.exit(failure === null ? 0 : 1);
}

// A failure of the surroundings is one sentence; a defect shows where it is.
function describe(error: Error): string {
  return error instanceof StackError || error instanceof RangeError ? error.message : (error.stack ?? error.message);
}

function seconds(durationMs: number): string {
  return `${(durationMs / 1_000).toFixed(1)} s`;
}
