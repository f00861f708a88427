import type { WriteStream } from "node:tty";

/** One line that is rewritten on a terminal, and a line every 5 s elsewhere. */
export function openProgressLine(stream: Pick<WriteStream, "write" | "isTTY" | "columns">) {
  const everyMs = stream.isTTY ? 100 : 5_000;
  let lastAt = -Infinity;
  let text = "";
  let written = "";
  const write = () => {
    if (text === written) return;
    written = text;
    stream.write(stream.isTTY ? `\r\u001b[2K${text.slice(0, (stream.columns ?? 80) - 1)}` : `${text}\n`);
  };
  return {
    show: (next: string) => {
      text = next;
      const now = performance.now();
      if (now - lastAt < everyMs) return;
      lastAt = now;
      write();
    },
    /** Takes the line away, so that something else can be printed; what is shown next brings it back. */
    clear: () => {
      if (stream.isTTY && written !== "") stream.write("\r\u001b[2K");
      written = "";
    },
    /** Writes what was shown last, and ends the line. */
    end: () => {
      if (text === "") return;
      write();
      if (stream.isTTY) stream.write("\n");
    },
  };
}
