import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { StackError } from "../errors.ts";
import { withLock } from "../process/lock.ts";

const pomFile = fileURLToPath(new URL("../../maven/pom.xml", import.meta.url));
const manifestName = "manifest.json";
const installLimitMs = 15 * 60_000;
const reportEveryMs = 3_000;

/** Where the jars lie. */
export interface Jars {
  readonly kafka: string;
  readonly registry: string;
}

/**
 * The jars of Kafka and of the registry from the shared cache, fetched by Maven when they are not there.
 *
 *   temp folder ──mvn──► all files ──manifest of sizes──► rename to the final name
 *
 * A download that was cut off leaves a temp folder and no final name; a folder whose files do not match its manifest is fetched anew.
 * Throws `maven_missing` and `download_failed`.
 */
export async function installJars(cacheDir: string, env: NodeJS.ProcessEnv, onProgress: (text: string) => void): Promise<Jars> {
  const target = await jarsFolder(cacheDir);
  if (!(await isComplete(target))) {
    await mkdir(cacheDir, { recursive: true });
    await withLock(join(cacheDir, "install.lock"), installLimitMs, async () => {
      if (await isComplete(target)) return;
      await fetchInto(cacheDir, target, env, onProgress);
    });
  }
  return { kafka: join(target, "kafka"), registry: join(target, "registry") };
}

/** Whether the cache holds all jars, so that Maven is not needed. */
export async function areJarsInstalled(cacheDir: string): Promise<boolean> {
  return isComplete(await jarsFolder(cacheDir));
}

// The name holds a hash of the pom: a new version in it is a new folder.
async function jarsFolder(cacheDir: string): Promise<string> {
  const hash = createHash("sha256")
    .update(await readFile(pomFile))
    .digest("hex");
  return join(cacheDir, `jars-${hash.slice(0, 12)}`);
}

async function fetchInto(cacheDir: string, target: string, env: NodeJS.ProcessEnv, onProgress: (text: string) => void): Promise<void> {
  await removeHalfFinished(cacheDir);
  if (await exists(target)) {
    onProgress("the downloaded files of Kafka and the registry are incomplete; fetching them again");
    await rm(target, { recursive: true, force: true });
  }
  const temporary = await mkdtemp(join(cacheDir, "download-"));
  try {
    // A copy of the pom, so that Maven writes nothing beside the one in the repository.
    await writeFile(join(temporary, "pom.xml"), await readFile(pomFile));
    await runMaven(temporary, env, onProgress);
    await writeFile(join(temporary, manifestName), JSON.stringify(await sizes(temporary)));
    // mkdtemp closes the folder to others; the cache may be shared.
    await chmod(temporary, 0o755);
    await rename(temporary, target);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

function runMaven(folder: string, env: NodeJS.ProcessEnv, onProgress: (text: string) => void): Promise<void> {
  const goals = ["dependency:copy-dependencies", "dependency:unpack@registry"];
  const settings = [
    "-DincludeScope=runtime",
    `-DoutputDirectory=${join(folder, "kafka")}`,
    `-Dregistry.directory=${join(folder, "registry")}`,
  ];
  onProgress("fetching Kafka and the schema registry with Maven (about 150 MB, once)");
  return new Promise((resolve, reject) => {
    const maven = spawn("mvn", ["-B", "-f", join(folder, "pom.xml"), ...goals, ...settings], { env, stdio: ["ignore", "pipe", "pipe"] });
    const errors: string[] = [];
    let files = 0;
    let reportedAt = performance.now();
    const onLine = (line: string) => {
      if (line.includes("[ERROR]")) errors.push(line.replace(/^.*\[ERROR\]\s*/, ""));
      if (/Downloaded from/.test(line)) files++;
      if (performance.now() - reportedAt < reportEveryMs) return;
      reportedAt = performance.now();
      onProgress(`fetching Kafka and the schema registry: ${files} files`);
    };
    readLines(maven.stdout, onLine);
    readLines(maven.stderr, onLine);
    maven.once("error", (cause) => reject(mavenMissing(cause)));
    maven.once("close", (code) => {
      if (code === 0) resolve();
      else
        reject(
          new StackError(
            "download_failed",
            `Maven could not fetch Kafka and the schema registry (${firstSentence(errors)}): check the network or the Maven settings and start again.`,
          ),
        );
    });
  });
}

function mavenMissing(cause: Error): StackError {
  return new StackError(
    "maven_missing",
    "Maven is needed once, to fetch Kafka and the schema registry, and was not found: install it (on Debian and Ubuntu: apt-get install maven; on macOS: brew install maven), or start Docker and set PERKS_STACK=docker.",
    { cause },
  );
}

function firstSentence(errors: readonly string[]): string {
  return (errors.find((line) => line !== "") ?? "no reason given").replace(/ -> \[Help.*$/, "").slice(0, 300);
}

function readLines(stream: NodeJS.ReadableStream, onLine: (line: string) => void): void {
  let rest = "";
  stream.setEncoding("utf8");
  stream.on("data", (chunk: string) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    lines.forEach(onLine);
  });
}

async function isComplete(folder: string): Promise<boolean> {
  try {
    const manifest: unknown = JSON.parse(await readFile(join(folder, manifestName), "utf8"));
    if (typeof manifest !== "object" || manifest === null) return false;
    const actual = await sizes(folder);
    return Object.entries(manifest).every(([file, size]) => actual[file] === size);
  } catch {
    return false;
  }
}

async function sizes(folder: string): Promise<Record<string, number>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && entry.name !== manifestName);
  const pairs = await Promise.all(
    files.map(async (entry) => {
      const path = join(entry.parentPath, entry.name);
      return [relative(folder, path), (await stat(path)).size] as const;
    }),
  );
  return Object.fromEntries(pairs);
}

async function removeHalfFinished(cacheDir: string): Promise<void> {
  const names = await readdir(cacheDir);
  await Promise.all(
    names.filter((name) => name.startsWith("download-")).map((name) => rm(join(cacheDir, name), { recursive: true, force: true })),
  );
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
