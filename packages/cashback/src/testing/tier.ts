import type { TierPort } from "../tier-port.ts";

/** A tier program that counts no orders: levels are what a test says. */
export function tierOf(said: Pick<TierPort, "progress" | "levelsAt">): TierPort {
  return {
    ...said,
    levelBefore: () => Promise.resolve({ levelId: null, multiplierBps: 10_000 }),
    standing: async (sql) =>
      new Map([...(await said.progress(sql))].map(([partition, nextOffset]) => [partition, { nextOffset, conflicts: new Set() }])),
    owners: (_sql, keys) => Promise.resolve(keys.map(() => null)),
  };
}
