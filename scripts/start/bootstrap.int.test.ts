import { spawn } from "node:child_process";
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { waitUntil } from "@perkstream/stack";
import { afterEach, beforeEach, expect, test } from "vitest";

// A checkout of the size of a hand, and an npx that links this Node into node_modules instead of downloading 600 MB.
let root = "";
const installing = `#!/bin/sh\necho run >> "$PWD/installs"\nmkdir -p node_modules/node/bin\nln -sf "${process.execPath}" node_modules/node/bin/node\n`;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "perkstream-bootstrap-"));
  await mkdir(join(root, "scripts"));
  await mkdir(join(root, "bin"));
  await copyFile(fileURLToPath(new URL("../bootstrap.mjs", import.meta.url)), join(root, "scripts", "bootstrap.mjs"));
  await writeFile(join(root, "package.json"), JSON.stringify({ packageManager: "pnpm@1.2.3" }));
  await writeFile(join(root, "pnpm-workspace.yaml"), "");
  await writeFile(join(root, "pnpm-lock.yaml"), "one");
  await symlink(process.execPath, join(root, "bin", "node"));
  await npx(installing);
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function npx(script: string): Promise<void> {
  await writeFile(join(root, "bin", "npx"), script);
  await chmod(join(root, "bin", "npx"), 0o755);
}

function start(...args: string[]) {
  const child = spawn(process.execPath, [join(root, "scripts", "bootstrap.mjs"), ...args], {
    env: { PATH: `${join(root, "bin")}:/usr/bin:/bin` },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  let errors = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => void (output += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => void (errors += text));
  const ended = new Promise<{ code: number | null; output: string; errors: string }>((resolve) =>
    child.once("close", (code) => resolve({ code, output, errors })),
  );
  return { child, ended, output: () => output };
}

async function installs(): Promise<number> {
  return (await readFile(join(root, "installs"), "utf8").catch(() => "")).split("\n").length - 1;
}

test("installs once, and again after a change of the lockfile", async () => {
  await writeFile(join(root, "scripts", "check.ts"), "");
  expect((await start("check").ended).errors).toMatch(/Installing packages with pnpm@1\.2\.3[^]*Packages installed in/);
  expect((await start("check").ended).errors).toBe("");
  expect(await installs()).toBe(1);
  await writeFile(join(root, "pnpm-lock.yaml"), "two");
  await start("check").ended;
  expect(await installs()).toBe(2);
});

test("two commands in a fresh checkout install once", async () => {
  await npx(installing.replace("mkdir", "sleep 0.3; mkdir"));
  await writeFile(join(root, "scripts", "check.ts"), "");
  const codes = await Promise.all([start("check").ended, start("check").ended]);
  expect(codes.map(({ code }) => code)).toEqual([0, 0]);
  expect(await installs()).toBe(1);
});

test("passes arguments, .env and the exit code", async () => {
  await writeFile(join(root, ".env"), "PERKS_COLOUR=green\n");
  await writeFile(
    join(root, "scripts", "check.ts"),
    "console.log(process.argv.slice(2).join(), process.env.PERKS_COLOUR); process.exit(7);",
  );
  expect(await start("check", "a", "--b").ended).toMatchObject({ code: 7, output: "a,--b green\n" });
});

test("passes a signal on and waits for the orderly end", async () => {
  await writeFile(
    join(root, "scripts", "check.ts"),
    `process.on("SIGTERM", () => setTimeout(() => { console.log("ended"); process.exit(0); }, 200)); setInterval(() => {}, 1000); console.log("up");`,
  );
  const { child, ended, output } = start("check");
  await waitUntil(() => output().includes("up"), 20_000);
  child.kill("SIGTERM");
  expect(await ended).toMatchObject({ code: 0, output: "up\nended\n" });
});

test("a failed installation shows pnpm's words and one sentence, and is tried again", async () => {
  await npx("#!/bin/sh\necho 'ERR_PNPM_FETCH no network'\nexit 1\n");
  await writeFile(join(root, "scripts", "check.ts"), "");
  expect(await start("check").ended).toMatchObject({
    code: 1,
    errors: expect.stringMatching(/ERR_PNPM_FETCH no network[^]*Packages could not be installed .*\.\n$/),
  });
  await npx(installing);
  expect((await start("check").ended).code).toBe(0);
});

test("an unknown command and a missing script are one sentence each", async () => {
  expect(await start("fly").ended).toMatchObject({
    code: 1,
    errors: expect.stringMatching(/^"fly" is not a command; there are: start, up, test, /),
  });
  expect((await start("bench").ended).errors).toContain(
    'The command "bench" needs scripts/bench/main.ts, which this checkout does not have.',
  );
});
