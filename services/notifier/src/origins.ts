const loopback = new Set(["localhost", "127.0.0.1", "[::1]"]);

/**
 * Who may open a socket from a page. A missing Origin is no page. In development any loopback origin is let in.
 * @param allowed as browsers write them: scheme, host and port, without a path
 */
export function originRule(allowed: readonly string[], development: boolean): (origin: string) => boolean {
  const listed = new Set(allowed.map((origin) => origin.toLowerCase()));
  return (origin) => origin === "" || listed.has(origin.toLowerCase()) || (development && isLoopbackOrigin(origin));
}

function isLoopbackOrigin(origin: string): boolean {
  const url = URL.parse(origin);
  return url !== null && (url.protocol === "http:" || url.protocol === "https:") && loopback.has(url.hostname);
}

/** In development only this machine's own names are answered, so that no foreign page reaches it by a name of its own. */
export function isLoopbackHost(host: string): boolean {
  const url = URL.parse(`http://${host}`);
  return url !== null && loopback.has(url.hostname);
}
