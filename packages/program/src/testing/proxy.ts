import { connect, createServer, type AddressInfo, type Socket } from "node:net";

export interface Proxy {
  readonly port: number;
  /** Cuts all connections and refuses new ones. */
  cut(): void;
  /** Nothing passes any more, and nobody is told: a frozen server, or a line that is dead in the middle. */
  hold(): void;
  /** Ends `cut` and `hold`: what was held passes. */
  mend(): void;
  /** How long each chunk to the client waits, ms. */
  delayMs: number;
  /** Called with each chunk that goes to the client; false cuts that connection instead of passing it on. */
  onAnswer: ((chunk: Buffer) => boolean) | undefined;
  /** Called with each chunk that goes to the server; false cuts that connection instead of passing it on. */
  onRequest: ((chunk: Buffer) => boolean) | undefined;
  close(): Promise<void>;
}

/** A TCP proxy on a free loopback port, for cutting, holding and slowing lines at chosen moments. */
export async function tcpProxy(target: { host: string; port: number }): Promise<Proxy> {
  const sockets = new Set<Socket>();
  let refusing = false;
  let holding = false;
  const server = createServer((client) => {
    if (refusing) {
      client.destroy();
      return;
    }
    const upstream = connect(target.port, target.host);
    const end = () => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on("error", end).on("close", () => {
        sockets.delete(socket);
        end();
      });
    }
    client.on("data", (chunk) => (proxy.onRequest?.(chunk) === false ? end() : upstream.write(chunk)));
    upstream.on("data", (chunk) => {
      if (proxy.onAnswer?.(chunk) === false) end();
      else if (proxy.delayMs > 0) setTimeout(() => client.write(chunk), proxy.delayMs);
      else client.write(chunk);
    });
    if (holding) for (const socket of [client, upstream]) socket.pause();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const proxy: Proxy = {
    port: (server.address() as AddressInfo).port,
    delayMs: 0,
    onAnswer: undefined,
    onRequest: undefined,
    cut() {
      refusing = true;
      for (const socket of sockets) socket.destroy();
    },
    hold() {
      holding = true;
      for (const socket of sockets) socket.pause();
    },
    mend() {
      refusing = false;
      holding = false;
      for (const socket of sockets) socket.resume();
    },
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
  return proxy;
}
