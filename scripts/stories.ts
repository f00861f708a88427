// npm run stories: random stories in the format of vectors/vectors.json, with what the reference model expects.
import { randomStory, withExpectations } from "@perkstream/reference";
import { createWriteStream, readFileSync } from "node:fs";
import { once } from "node:events";
import { parseArgs } from "node:util";

const usage = `npm run stories -- [options]
  --seed 1         of the first story; the next ones count up from it
  --count 100      how many
  --size 40        steps at most, about
  --every 1        steps between two expectations
  --apart          customers share no order ids, for players with several partitions
  --out <file>     default: standard output`;

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seed: { type: "string", default: "1" },
      count: { type: "string", default: "100" },
      size: { type: "string", default: "40" },
      every: { type: "string", default: "1" },
      apart: { type: "boolean", default: false },
      out: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return console.log(usage);
  const [seed, count, size] = [whole("seed", values.seed, 0), whole("count", values.count, 1), whole("size", values.size, 1)];
  const every = whole("every", values.every, 1);
  const out = values.out === undefined ? process.stdout : createWriteStream(values.out);
  const write = async (text: string) => void (out.write(text) || (await once(out, "drain")));
  await write(`${JSON.stringify(head()).slice(0, -1)},"vectors":[\n`);
  for (let number = 0; number < count; number += 1) {
    const story = withExpectations(randomStory(seed + number, { size, apart: values.apart }), every);
    await write(`${JSON.stringify(story)}${number === count - 1 ? "\n]}\n" : ",\n"}`);
  }
  if (out === process.stdout) return;
  out.end();
  await once(out, "finish");
}

/** The explanations and defaults of the vectors hold for stories too. */
function head(): object {
  const file = new URL("../vectors/vectors.json", import.meta.url);
  const { format, defaults } = JSON.parse(readFileSync(file, "utf8")) as { format: unknown; defaults: unknown };
  return { format, defaults };
}

function whole(name: string, text: string, least: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least) return value;
  throw new Error(`--${name} must be a whole number of at least ${least}\n\n${usage}`);
}
