import { migrations as merchantMigrations } from "@perkstream/merchant";
import { openSql, type Sql } from "@perkstream/postgres";
import { testDatabase, type TestDatabase } from "@perkstream/postgres/testing";
import { cashbackPart, firstDifference, hunt, splitAtRandom, type Story } from "@perkstream/reference";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { migrations } from "./migrations.ts";
import { DatabaseWorld } from "./testing/database.ts";
import { levelsOf } from "./testing/levels.ts";
import { inAnyOrder, splitSubjectOf, vectorOf } from "./testing/subject.ts";

const stories = Number(process.env["PERKS_DRIVER_STORIES"] ?? 30);
const firstSeed = Number(process.env["PERKS_STORY_SEED"] ?? 1);
const stepsPerLook = 8;
/** Most sweeps are cut in the middle of what is due at one instant. */
const fewLots = (seed: number) => [1, 2, 3, undefined][seed % 4];

let database: TestDatabase;
let sql: Sql;

beforeAll(async () => {
  database = await testDatabase(inject("stack").postgresUrl, [merchantMigrations, migrations]);
  sql = openSql(database.url, { max: 3, applicationName: "cashback-random" });
});

afterAll(async () => {
  await sql.end();
  await database.drop();
});

const difference = (story: Story, seed: number) =>
  firstDifference(
    story,
    async (story, { world }) => {
      const played = await DatabaseWorld.open(sql, vectorOf(story), sql, levelsOf(world.multipliers), fewLots(seed));
      return splitAtRandom(splitSubjectOf(played), seed);
    },
    (snapshot, model) => inAnyOrder(cashbackPart(snapshot, model)),
    (position) => position % stepsPerLook === 0,
  );

test(
  `${stories} random stories: the program agrees with the reference model, wherever chunks end and it restarts`,
  { timeout: 0 },
  async () => {
    const found = await hunt({ firstSeed, stories }, difference);
    if (found !== null) expect.fail(found);
  },
);
