import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { StackError } from "../errors.ts";

const run = promisify(execFile);
const minimum = 17;
const advice =
  "install one (on Debian and Ubuntu: apt-get install openjdk-17-jre-headless; on macOS: brew install openjdk@17), set JAVA_HOME to it, or start Docker and set PERKS_STACK=docker";

/** The `java` of JAVA_HOME or of the PATH; throws `java_missing` when there is none or it is older than 17. */
export async function findJava(env: NodeJS.ProcessEnv): Promise<string> {
  const java = javaCommand(env);
  let output: string;
  try {
    const { stdout, stderr } = await run(java, ["-version"], { env });
    output = stderr + stdout;
  } catch (cause) {
    throw new StackError("java_missing", `Kafka and the schema registry need Java ${minimum} or newer, and none was found: ${advice}.`, {
      cause,
    });
  }
  const major = javaMajor(output);
  if (major < minimum) {
    throw new StackError(
      "java_missing",
      `Kafka and the schema registry need Java ${minimum} or newer, and "${java}" is Java ${major}: ${advice}.`,
    );
  }
  return java;
}

export function javaCommand(env: NodeJS.ProcessEnv): string {
  return env["JAVA_HOME"] === undefined || env["JAVA_HOME"] === "" ? "java" : join(env["JAVA_HOME"], "bin", "java");
}

/** The major version in what `java -version` prints: 8 of "1.8.0_402", 17 of "17.0.15"; 0 when there is none. */
export function javaMajor(output: string): number {
  const match = /version "(\d+)(?:\.(\d+))?/.exec(output);
  if (match === null) return 0;
  const first = Number(match[1]);
  return first === 1 ? Number(match[2] ?? 0) : first;
}
