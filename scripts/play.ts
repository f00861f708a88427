// npm run play: stories such as those of vectors/vectors.json through the public interfaces of a running product.
import { readFileSync } from "node:fs";
import { openOrderLog } from "./play/log.ts";
import { parsePlayOptions, PlayOptionError, usage } from "./play/options.ts";
import { playAll } from "./play/play-all.ts";
import type { Outcome } from "./play/play-story.ts";
import { parseStories, StoryError } from "./play/story.ts";
import { producingEnvironment } from "./produce/environment.ts";
import { explain } from "./produce/fail.ts";
import { openProgressLine } from "./produce/progress-line.ts";

try {
  await main();
} catch (error) {
  if (error instanceof PlayOptionError) console.error(`${error.message}\n\n${usage}`);
  else if (error instanceof StoryError) console.error(error.message);
  else console.error(explain(error));
  process.exitCode = error instanceof PlayOptionError ? 2 : 1;
}

async function main(): Promise<void> {
  const options = parsePlayOptions(process.argv.slice(2));
  const { file, only, atOnce, through, isVerbose } = options;
  const all = parseStories(readFileSync(file, "utf8"));
  const stories = only === null ? all : all.filter(({ id }) => only.has(id));
  const unknown = [...(only ?? [])].filter((id) => !all.some((story) => story.id === id));
  if (unknown.length > 0) throw new PlayOptionError(`no such story: ${unknown.join(", ")}`);

  const { env } = process;
  const { registryUrl, connectKafka } = producingEnvironment({
    ...env,
    ...(options.kafka !== undefined && { KAFKA_BROKERS: options.kafka }),
    ...(options.registry !== undefined && { SCHEMA_REGISTRY_URL: options.registry }),
  });
  const api = options.api ?? env["MERCHANT_API_URL"] ?? `http://127.0.0.1:${env["MERCHANT_API_PORT"] ?? "8080"}`;
  const bootstrapKey = env["PERKS_BOOTSTRAP_KEY"] ?? "development";
  const log = await openOrderLog(connectKafka("perkstream-play"), registryUrl);
  const line = openProgressLine(process.stderr);
  const startedAt = performance.now();
  let passed = 0;
  let failed = 0;
  const onOutcome = (outcome: Outcome) => {
    if (outcome.differences.length === 0) passed += 1;
    else {
      failed += 1;
      for (const text of failures(outcome, isVerbose)) console.log(text);
    }
    line.show(
      `${passed + failed} of ${stories.length} stories in ${((performance.now() - startedAt) / 1000).toFixed(1)} s, ${failed} failed`,
    );
  };
  try {
    await playAll(stories, { api, bootstrapKey, log, through }, { atOnce, onOutcome });
  } finally {
    line.end();
    await log.close();
  }
  console.log(`${passed} passed, ${failed} failed`);
  if (failed > 0) process.exitCode = 1;
}

function failures({ id, differences }: Outcome, isVerbose: boolean): string[] {
  const shown = isVerbose ? differences : differences.slice(0, 1);
  const more = differences.length - shown.length;
  return shown.map(({ path, expected, got }) => {
    const rest = more > 0 ? ` (and ${more} more)` : "";
    return `${id} ${path}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(got)}${rest}`;
  });
}
