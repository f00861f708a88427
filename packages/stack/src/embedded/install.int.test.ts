import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { installJars } from "./install.ts";

// Maven itself is replaced by a script, so that the tests say what happens around it and download nothing.
let folder = "";
let messages: string[] = [];
const install = () => installJars(join(folder, "cache"), { PATH: `${join(folder, "bin")}:/usr/bin:/bin` }, (text) => messages.push(text));

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "perkstream-install-"));
  messages = [];
  await mkdir(join(folder, "bin"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function maven(body: string): Promise<void> {
  const script = `#!/bin/sh
for argument in "$@"; do case "$argument" in
  -DoutputDirectory=*) kafka="\${argument#*=}" ;;
  -Dregistry.directory=*) registry="\${argument#*=}" ;;
esac; done
mkdir -p "$kafka" "$registry"
echo run >> "${folder}/runs"
${body}
`;
  await writeFile(join(folder, "bin", "mvn"), script);
  await chmod(join(folder, "bin", "mvn"), 0o755);
}

const works = `echo jar > "$kafka/kafka.jar"; echo jar > "$registry/app-runner.jar"`;

test("fetches once; a second start finds everything", async () => {
  await maven(works);
  const first = await install();
  expect(await readdir(first.kafka)).toEqual(["kafka.jar"]);
  messages = [];
  expect(await install()).toEqual(first);
  expect(messages).toEqual([]);
});

test("two starts at once fetch once", async () => {
  await maven(`sleep 0.3; ${works}`);
  const [one, two] = await Promise.all([install(), install()]);
  expect(one).toEqual(two);
  expect(messages).toHaveLength(1);
});

test("a download that was cut off is not taken for a finished one", async () => {
  await maven(`echo half > "$kafka/kafka.jar"; echo "[ERROR] connection reset"; exit 1`);
  await expect(install()).rejects.toMatchObject({
    code: "download_failed",
    retryable: true,
    message: expect.stringContaining("connection reset"),
  });
  await mkdir(join(folder, "cache", "download-killed"));
  await maven(works);
  const jars = await install();
  expect(await readdir(jars.kafka)).toEqual(["kafka.jar"]);
  expect(await readdir(join(folder, "cache"))).toHaveLength(1);
});

test("a file that was cut short later is fetched again, and that is said", async () => {
  await maven(works);
  const jars = await install();
  await writeFile(join(jars.kafka, "kafka.jar"), "");
  await install();
  expect(messages.some((text) => text.includes("incomplete; fetching them again"))).toBe(true);
});

test("without Maven one sentence says what to install", async () => {
  await expect(installJars(join(folder, "cache"), { PATH: join(folder, "bin") }, () => {})).rejects.toMatchObject({
    code: "maven_missing",
    retryable: false,
    message: expect.stringMatching(/^Maven is needed once.*install it.*PERKS_STACK=docker\.$/),
  });
});
