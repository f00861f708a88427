/** Awaits a condition; fails with `what` after the bound. */
export async function waitFor(what: string, condition: () => Promise<boolean>, boundMs = 60_000): Promise<void> {
  const end = performance.now() + boundMs;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`not in ${boundMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
