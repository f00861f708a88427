import { mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { withLock } from "./lock.ts";

let folder = "";
let file = "";

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "perkstream-lock-"));
  file = join(folder, "lock");
});
afterEach(() => rm(folder, { recursive: true }));

const dead = JSON.stringify({ pid: 2 ** 30, start: "never" });

test("of many that find the lock of a dead process at once, one at a time has it", async () => {
  await writeFile(file, dead);
  let holders = 0;
  let most = 0;
  const work = async () => {
    most = Math.max(most, (holders += 1));
    await new Promise((resolve) => setTimeout(resolve, 5));
    holders -= 1;
  };
  await Promise.all(Array.from({ length: 20 }, () => withLock(file, 60_000, work)));
  expect(most).toBe(1);
  expect(await readdir(folder)).toEqual([]);
});

test("a file that is not written yet is held; one that was left so is not", async () => {
  await writeFile(file, "");
  await expect(withLock(file, 200, async () => {})).rejects.toMatchObject({ code: "not_ready" });
  await utimes(file, 0, 0);
  expect(await withLock(file, 0, async () => "mine")).toBe("mine");
});
