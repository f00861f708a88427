const repeatedSignalMs = 1_000;
const orphanPollMs = 500;

/**
 * Calls `onStop` once, when the process is asked to end: SIGINT, SIGTERM, SIGHUP, or the loss of the bootstrap process that started
 * us. A later signal ends at once (the guards then end what runs); one that follows within a second is the same one, since npm and
 * the terminal both send Ctrl-C.
 */
export function onStopRequest(onStop: (reason: string) => void): void {
  let askedAt: number | undefined;
  const ask = (reason: string) => {
    if (askedAt === undefined) {
      askedAt = performance.now();
      onStop(reason);
    } else if (performance.now() - askedAt > repeatedSignalMs) {
      process.exit(130);
    }
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => ask(signal));
  watchBootstrap(() => ask("the parent process has ended"));
}

function watchBootstrap(onLoss: () => void): void {
  if (process.env["PERKS_BOOTSTRAP_PID"] !== String(process.ppid)) return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    onLoss();
  }, orphanPollMs);
  timer.unref();
}
