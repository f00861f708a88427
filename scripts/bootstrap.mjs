// The target of every npm script. Needs nothing but Node 20 or newer: installs the workspace when it is missing or out of date,
// then runs the command's script with the project's own Node 22.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, "node_modules");
const stampFile = join(modules, ".perkstream-install");
const lockFile = join(root, ".perkstream", "bootstrap.lock");
const lockLimitMs = 10 * 60_000;
const lockPollMs = 200;
const orphanPollMs = 500;
const repeatedSignalMs = 500;
const minimumNode = 20;

/** What each command runs: a TypeScript file, or a tool of the workspace with its arguments. */
const commands = {
  start: { script: "scripts/start/start.ts" },
  up: { script: "scripts/start/up.ts" },
  test: { script: "scripts/test.ts" },
  check: { script: "scripts/check.ts" },
  simulate: { script: "scripts/simulate.ts" },
  play: { script: "scripts/play.ts" },
  stories: { script: "scripts/stories.ts" },
  import: { script: "scripts/import-online-retail.ts" },
  "check-import": { script: "scripts/check-import.ts" },
  redrive: { script: "scripts/redrive.ts" },
  verify: { script: "scripts/verify.ts" },
  fuzz: { script: "scripts/fuzz.ts" },
  schemas: { script: "scripts/schemas.ts" },
  database: { script: "scripts/database.ts" },
  bench: { script: "scripts/bench/main.ts" },
  chaos: { script: "scripts/chaos.ts" },
  format: { tool: "node_modules/oxfmt/bin/oxfmt" },
};

const [name = "", ...args] = process.argv.slice(2);

async function main() {
  requireNode();
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) throw new BootstrapError(`"${name}" is not a command; there are: ${Object.keys(commands).join(", ")}.`);
  await install();
  const node = localNode();
  const file = join(root, command.script ?? command.tool);
  if (!existsSync(file))
    throw new BootstrapError(`The command "${name}" needs ${command.script ?? command.tool}, which this checkout does not have.`);
  const envFile = join(root, ".env");
  const settings = existsSync(envFile) ? [`--env-file=${envFile}`] : [];
  const flags = command.script === undefined ? [] : [...settings, "--conditions=source", "--disable-warning=ExperimentalWarning"];
  run(node, [...flags, file, ...args]);
}

function requireNode() {
  const major = Number(process.versions.node.split(".")[0]);
  if (major < minimumNode)
    throw new BootstrapError(
      `Perkstream needs Node ${minimumNode} or newer to start (it brings its own Node 22), and this is ${process.version}: install a newer one from https://nodejs.org.`,
    );
}

function localNode() {
  const file = join(modules, "node", "bin", process.platform === "win32" ? "node.exe" : "node");
  if (existsSync(file)) return file;
  throw new BootstrapError(
    "The project's own Node is missing from node_modules/node: remove the folder node_modules and run the command again.",
  );
}

// --- installation ---

async function install() {
  const wanted = workspaceHash();
  if (isInstalled(wanted)) return;
  await withLock(async () => {
    if (isInstalled(wanted)) return;
    await runPnpm();
    writeFileSync(stampFile, wanted);
  });
}

function isInstalled(wanted) {
  return existsSync(stampFile) && readFileSync(stampFile, "utf8") === wanted;
}

function workspaceHash() {
  const hash = createHash("sha256");
  for (const file of ["pnpm-lock.yaml", "pnpm-workspace.yaml", "package.json"]) hash.update(readFileSync(join(root, file)));
  return hash.digest("hex");
}

function runPnpm() {
  const { packageManager } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const startedAt = performance.now();
  const progress = openProgress();
  progress.show(`Installing packages with ${packageManager} (once, about 600 MB on disk)`);
  const output = [];
  return new Promise((resolve, reject) => {
    // CI=true: pnpm must not ask before it replaces a folder that another version made.
    const env = { ...process.env, CI: "true", npm_config_yes: "true" };
    // --pm-on-fail=ignore: this is the pnpm that package.json names, and it need not note itself in the lockfile.
    const args = ["-y", packageManager, "install", "--frozen-lockfile", "--pm-on-fail=ignore", "--reporter=append-only"];
    const pnpm = spawn("npx", args, { cwd: root, env, stdio: ["ignore", "pipe", "pipe"], shell: process.platform === "win32" });
    const onText = (text) => {
      output.push(text);
      const counts = /Progress: (.*)/.exec(text)?.[1];
      if (counts !== undefined) progress.show(`Installing packages: ${counts}`);
    };
    pnpm.stdout.setEncoding("utf8").on("data", onText);
    pnpm.stderr.setEncoding("utf8").on("data", onText);
    pnpm.once("error", (error) =>
      reject(
        new BootstrapError(
          `Packages could not be installed, because npx could not be started (${error.message}): npm must be on the PATH.`,
        ),
      ),
    );
    pnpm.once("close", (code) => {
      progress.end();
      if (code !== 0) {
        console.error(output.join("").split("\n").slice(-20).join("\n"));
        return reject(
          new BootstrapError("Packages could not be installed (pnpm's last lines are above): check the network and run the command again."),
        );
      }
      console.error(`Packages installed in ${((performance.now() - startedAt) / 1_000).toFixed(1)} s.`);
      resolve();
    });
  });
}

/** One line that is rewritten on a terminal, and at most a line every 5 s elsewhere. */
function openProgress() {
  let lastAt = -Infinity;
  const isTerminal = process.stderr.isTTY;
  return {
    show(text) {
      const now = performance.now();
      if (isTerminal) process.stderr.write(`\r\x1b[2K${text.slice(0, (process.stderr.columns ?? 80) - 1)}`);
      else if (now - lastAt >= 5_000) console.error(text);
      else return;
      lastAt = now;
    },
    end: () => void (isTerminal && process.stderr.write("\r\x1b[2K")),
  };
}

/** Two commands in a fresh clone must not install at once; a lock whose holder has died is taken over. */
async function withLock(work) {
  mkdirSync(dirname(lockFile), { recursive: true });
  const deadline = performance.now() + lockLimitMs;
  while (!takeLock()) {
    if (performance.now() > deadline)
      throw new BootstrapError(
        `Another command installs packages for more than ${lockLimitMs / 60_000} minutes: end it, or remove ${lockFile}.`,
      );
    await new Promise((resolve) => setTimeout(resolve, lockPollMs));
  }
  try {
    await work();
  } finally {
    rmSync(lockFile, { force: true });
  }
}

function takeLock() {
  try {
    writeFileSync(lockFile, String(process.pid), { flag: "wx" });
    return true;
  } catch {
    if (!isAlive(Number(readOr(lockFile, "0")))) rmSync(lockFile, { force: true });
    return false;
  }
}

function readOr(file, fallback) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return fallback;
  }
}

function isAlive(pid) {
  // The holder has made the file and not yet written its id.
  if (pid === 0) return true;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

// --- the command ---

function run(node, nodeArgs) {
  const env = {
    ...process.env,
    PERKS_BOOTSTRAP_PID: String(process.pid),
    PATH: `${join(modules, ".bin")}${process.platform === "win32" ? ";" : ":"}${process.env.PATH ?? ""}`,
  };
  const child = spawn(node, nodeArgs, { stdio: "inherit", env });
  child.once("error", (error) => {
    console.error(
      `The project's own Node could not be started (${error.message}): remove the folder node_modules and run the command again.`,
    );
    process.exitCode = 1;
  });
  child.once("exit", (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    for (const forwarded of forwardedSignals) process.removeAllListeners(forwarded);
    process.kill(process.pid, signal);
  });
  forwardSignals(child);
  watchParent(child);
}

const forwardedSignals = ["SIGINT", "SIGTERM", "SIGHUP"];

function forwardSignals(child) {
  let lastAt = -Infinity;
  for (const signal of forwardedSignals) {
    process.on(signal, () => {
      // A terminal sends Ctrl-C to the whole group, so the child has it; and npm sends what it gets once more.
      const isRepeated = performance.now() - lastAt < repeatedSignalMs;
      if ((signal === "SIGINT" && process.stdin.isTTY) || isRepeated) return;
      lastAt = performance.now();
      child.kill(signal);
    });
  }
}

/** npm runs us through a shell, and some shells end on a signal without passing it on: losing that parent is such a signal. */
function watchParent(child) {
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    child.kill("SIGTERM");
  }, orphanPollMs);
  timer.unref();
}

class BootstrapError extends Error {}

try {
  await main();
} catch (error) {
  console.error(error instanceof BootstrapError ? error.message : error);
  process.exitCode = 1;
}
