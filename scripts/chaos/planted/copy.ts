import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, relative } from "node:path";
import type { Replacement } from "./bugs.ts";

const leftOut = new Set([".git", ".perkstream", "dist"]);

/**
 * Copies the checkout as it is on disk. The packages' own node_modules hold links to each other, which then lead into the copy;
 * what they have from outside is shared through a link to the root's.
 * @returns the folder of the copy
 */
export async function copyCheckout(root: string): Promise<string> {
  const target = await mkdtemp(join(tmpdir(), "perkstream-planted-"));
  await cp(root, target, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (source) => relative(root, source) !== "node_modules" && !leftOut.has(basename(source)),
  });
  await symlink(join(root, "node_modules"), join(target, "node_modules"));
  return target;
}

/** Changes the places of a bug. Throws when one does not stand there exactly once: the code has moved on, and so must the bug. */
export async function plant(folder: string, replacements: readonly Replacement[]): Promise<void> {
  for (const { file, from, to } of replacements) {
    const path = join(folder, file);
    const parts = (await readFile(path, "utf8")).split(from);
    if (parts.length !== 2) throw new Error(`"${from.trim().slice(0, 80)}" stands ${parts.length - 1} times in ${file}, not once`);
    await writeFile(path, parts.join(to));
  }
}

export function removeCopy(folder: string): Promise<void> {
  return rm(folder, { recursive: true, force: true });
}
