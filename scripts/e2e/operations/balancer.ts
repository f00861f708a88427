import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { once } from "node:events";

export interface Balancer {
  readonly port: number;
  close(): Promise<void>;
}

/** What stands before several instances of a service: each connection goes to the next one that accepts it, by turns. */
export async function openBalancer(ports: readonly number[]): Promise<Balancer> {
  const sockets = new Set<Socket>();
  let turn = 0;
  const server = createServer({ noDelay: true }, (client) => {
    keep(client);
    const first = turn++;
    void reach(ports.map((_, i) => ports[(first + i) % ports.length]!)).then((instance) => {
      if (instance === null || client.destroyed) {
        client.destroy();
        instance?.destroy();
        return;
      }
      keep(instance);
      // The end of one side is the end of the other, once what it has sent has gone through.
      client.pipe(instance).pipe(client);
      client.once("close", () => instance.destroy());
      instance.once("close", () => client.destroySoon());
    });
  });
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy()).once("close", () => sockets.delete(socket));
  };
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/** A connection to the first of these ports that accepts one. */
async function reach(ports: readonly number[]): Promise<Socket | null> {
  for (const port of ports) {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    try {
      await once(socket, "connect");
      return socket;
    } catch {
      socket.destroy();
    }
  }
  return null;
}
