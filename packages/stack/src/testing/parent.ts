import { startStack } from "../stack.ts";

// A program that starts a stack and then waits to be killed; prints the addresses as one line of JSON.
const [dataDir = ""] = process.argv.slice(2);
const { stop, ...addresses } = await startStack({
  dataDir,
  ephemeral: true,
  onCrash: (error) => process.stderr.write(`${error.message}\n`),
});
process.on("SIGTERM", () => void stop().then(() => process.exit(0)));
process.stdout.write(`${JSON.stringify(addresses)}\n`);
setInterval(() => {}, 60_000);
