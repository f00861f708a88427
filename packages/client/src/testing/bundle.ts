import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

/** The client as one ES module: what a page that has no build step loads. */
export async function bundleClient(options: { minify: boolean }): Promise<string> {
  const build = await rolldown({ input: fileURLToPath(new URL("../index.ts", import.meta.url)) });
  try {
    const { output } = await build.generate({ format: "esm", minify: options.minify });
    return output[0].code;
  } finally {
    await build.close();
  }
}
