import { execFile } from "node:child_process";
import { chown, readFile, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { StackError } from "../errors.ts";

const run = promisify(execFile);

/** How PostgreSQL's programs are started; it refuses to run as root. */
export interface ServerUser {
  /** The command and arguments that run `command` as the server's user. */
  wrap(command: string, args: readonly string[]): { command: string; args: string[]; uid?: number; gid?: number };
  /** Gives a folder to that user. */
  own(folder: string): Promise<void>;
}

const ourselves: ServerUser = {
  wrap: (command, args) => ({ command, args: [...args] }),
  own: async () => {},
};

/**
 * Ourselves, unless we are root: then the user `postgres` if the machine has one, else `nobody`. When a folder on the way to
 * `paths` is closed to that user (a checkout under /root, a temporary folder of mode 700), setpriv gives the server the one
 * capability that opens it, so that nothing outside our own folders changes. Throws `root_refused`.
 */
export async function serverUser(paths: readonly string[]): Promise<ServerUser> {
  if (process.getuid?.() !== 0) return ourselves;
  const { uid, gid } = await unprivilegedUser();
  const own = (folder: string) => chown(folder, uid, gid);
  if (await canReach(paths, uid)) return { wrap: (command, args) => ({ command, args: [...args], uid, gid }), own };
  const privileges = [
    `--reuid=${uid}`,
    `--regid=${gid}`,
    "--clear-groups",
    "--inh-caps=+dac_override",
    "--ambient-caps=+dac_override",
    "--",
  ];
  try {
    await run("setpriv", [...privileges, "true"]);
  } catch (cause) {
    throw new StackError(
      "root_refused",
      `PostgreSQL refuses to run as root, and no other user can enter ${paths[0]}: start as another user, or set PERKS_DATA_DIR (and check out the repository) where others may enter.`,
      { cause },
    );
  }
  return { wrap: (command, args) => ({ command: "setpriv", args: [...privileges, command, ...args] }), own };
}

async function unprivilegedUser(): Promise<{ uid: number; gid: number }> {
  const users = (await readFile("/etc/passwd", "utf8").catch(() => "")).split("\n").map((line) => line.split(":"));
  for (const name of ["postgres", "nobody"]) {
    const entry = users.find((fields) => fields[0] === name);
    if (entry !== undefined) return { uid: Number(entry[2]), gid: Number(entry[3]) };
  }
  throw new StackError(
    "root_refused",
    "PostgreSQL refuses to run as root, and this machine has neither a user postgres nor nobody: start as another user.",
  );
}

async function canReach(paths: readonly string[], uid: number): Promise<boolean> {
  const folders = new Set(paths.flatMap(ancestors));
  const states = await Promise.all([...folders].map((folder) => stat(folder)));
  return states.every((state) => (state.mode & 0o001) !== 0 || (state.uid === uid && (state.mode & 0o100) !== 0));
}

function ancestors(path: string): string[] {
  const parent = dirname(path);
  return parent === path ? [path] : [path, ...ancestors(parent)];
}
