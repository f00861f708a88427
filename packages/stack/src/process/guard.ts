import { spawn } from "node:child_process";

/**
 * A shell that outlives this process by a moment: when its standard input closes, which the kernel does however we end (SIGKILL
 * too), it ends what is still watched, the newest first, as a stop in order would.
 *
 *   our end: pipe open ──(we die)──► read fails ──► for each, newest first: signal, wait ≤ 5 s, SIGKILL
 */
const script = `
watched=""
while read -r action pid signal; do
  case "$action" in
    watch) watched="$pid:$signal $watched" ;;
    forget) kept=""; for entry in $watched; do [ "\${entry%%:*}" = "$pid" ] || kept="$kept$entry "; done; watched="$kept" ;;
  esac
done
for entry in $watched; do
  pid="\${entry%%:*}"
  kill -s "\${entry#*:}" "$pid" 2>/dev/null || continue
  tries=0
  while kill -0 "$pid" 2>/dev/null && [ "$tries" -lt 50 ]; do tries=$((tries + 1)); sleep 0.1; done
  kill -s KILL "$pid" 2>/dev/null
done
`;

export interface Guard {
  /** From now on the process is ended by `signal` when this process is gone. */
  watch(pid: number, signal: "INT" | "TERM"): void;
  /** The process has ended; its id may be used again by a stranger. */
  forget(pid: number): void;
  /** Lets the guard end without ending anything that was forgotten. */
  close(): void;
}

/** Starts the guard. Where there is no POSIX shell it does nothing: children then outlive a killed parent until the next start. */
export function openGuard(): Guard {
  const shell = spawn("/bin/sh", ["-c", script], { stdio: ["pipe", "ignore", "ignore"], detached: true });
  shell.on("error", () => {});
  shell.stdin.on("error", () => {});
  shell.unref();
  return {
    watch: (pid, signal) => void shell.stdin.write(`watch ${pid} ${signal}\n`),
    forget: (pid) => void shell.stdin.write(`forget ${pid}\n`),
    close: () => void shell.stdin.end(),
  };
}
