/**
 * `npm run bench -- drain | growth | verify | latency | sweep | recovery | retail <file> | start [options]`: measures on this machine, with a stack of its own in a temporary folder.
 * Progress goes to standard error, the result is one line of JSON on standard output.
 */
import { parseArgs } from "node:util";
import { drain } from "./drain.ts";
import { growth } from "./growth.ts";
import { latency } from "./latency.ts";
import { recovery } from "./recovery.ts";
import { retail } from "./retail.ts";
import { start } from "./start.ts";
import { sweep } from "./sweep.ts";
import { verify } from "./verify.ts";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    orders: { type: "string", default: "300000" },
    customers: { type: "string", default: "20000" },
    merchants: { type: "string", default: "20" },
    refunds: { type: "string", default: "0.03" },
    duplicates: { type: "string", default: "0.01" },
    hot: { type: "string", default: "0" },
    rate: { type: "string", default: "500" },
    seconds: { type: "string", default: "30" },
    lots: { type: "string", default: "100000" },
    spread: { type: "string", default: "1000" },
    online: { type: "string", default: "500" },
    seed: { type: "string", default: "1" },
  },
});
const number = (name: keyof typeof values) => {
  const value = Number(values[name]);
  if (!Number.isFinite(value) || value < 0) throw new RangeError(`--${name} must be a number of 0 or more`);
  return value;
};
const say = (line: string) => console.error(line);

const shared = { customers: number("customers"), merchants: number("merchants"), seed: number("seed") };
switch (positionals[0]) {
  case "drain":
  case "growth":
  case "verify": {
    const load = { orders: number("orders"), refunds: number("refunds"), duplicates: number("duplicates"), hot: number("hot"), ...shared };
    console.log(JSON.stringify(await { drain, growth, verify }[positionals[0]](load, say)));
    break;
  }
  case "latency":
    console.log(
      JSON.stringify(await latency({ rate: number("rate"), seconds: number("seconds"), online: number("online"), ...shared }, say)),
    );
    break;
  case "sweep":
    console.log(
      JSON.stringify(
        await sweep({ lots: number("lots"), spreadMs: number("spread"), rate: number("rate"), online: number("online"), ...shared }, say),
      ),
    );
    break;
  case "recovery":
    console.log(JSON.stringify(await recovery({ rate: number("rate"), ...shared }, say)));
    break;
  case "retail":
    console.log(JSON.stringify(await retail(positionals[1] ?? "scripts/data/online-retail-sample.csv", say)));
    break;
  case "start":
    console.log(JSON.stringify(await start(say)));
    break;
  default:
    console.error(
      "usage: npm run bench -- drain [--orders N --customers N --merchants N --refunds 0.03 --duplicates 0.01 --hot 0 --seed N]\n       npm run bench -- growth [the same options: what an order costs at 10,000, 100,000 … orders]\n       npm run bench -- verify [the same options]\n       npm run bench -- latency [--rate N --seconds N --online N --customers N --merchants N --seed N]\n       npm run bench -- sweep [--lots N --spread MS --rate N --online N --customers N --merchants N --seed N]\n       npm run bench -- recovery [--rate N --customers N --merchants N --seed N]\n       npm run bench -- retail <csv[.gz]>\n       npm run bench -- start",
    );
    process.exitCode = 2;
}
