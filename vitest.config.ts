import { defineConfig } from "vitest/config";

// Three tiers by file name: *.unit.test.ts (no I/O), *.int.test.ts (the real stack), *.e2e.test.ts (the whole product).
const conditions = ["source", "module", "node", "development|production"];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: ["source", "node"] } },
  test: {
    include: ["{packages,services,scripts}/**/*.{unit,int,e2e}.test.ts"],
    exclude: ["**/node_modules/**", "**/dist/**"],
    globalSetup: ["./vitest.setup.ts"],
    // Bounds for what hangs, not for what is slow: machines stall for seconds.
    testTimeout: 120_000,
    hookTimeout: 240_000,
    expect: { poll: { timeout: 20_000 } },
    pool: "forks",
    maxWorkers: 2,
    passWithNoTests: false,
  },
});
