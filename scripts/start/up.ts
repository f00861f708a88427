import { run } from "./run.ts";

// `npm run up`: one line of JSON on standard output when all is ready, everything else on standard error.
await run({
  say: (line) => console.error(line),
  onReady: async ({ addresses }) => {
    console.log(JSON.stringify({ ready: true, ...addresses }));
    return async () => {};
  },
});
