import { readdir, readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { type Answer, json } from "./answer.ts";

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".json": "application/json",
  ".webmanifest": "application/manifest+json",
};

/** What the customer page asks at its start. */
export interface PageConfig {
  /** Address of the merchant API, as the browser reaches it. */
  readonly merchantApi: string;
  /** The demo merchant. */
  readonly merchantId: string;
}

/** The customer page of development: the files of one flat folder, read anew each time. Null when there is none. */
export function pageFiles(folder: string, config: PageConfig): (path: string) => Promise<Answer | null> {
  return async (path) => {
    if (path === "/config.json") return json(config);
    const name = path === "/" ? "index.html" : path === "/client.js" ? "perkstream-client.js" : path.slice(1);
    const type = types[extname(name)];
    // Only names that the folder lists: a path cannot lead out of it.
    if (type === undefined || !(await readdir(folder)).includes(name)) return null;
    return { status: 200, body: await readFile(join(folder, name)), type, headers: { "cache-control": "no-cache" } };
  };
}
