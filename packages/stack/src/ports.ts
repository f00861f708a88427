import { connect, createServer } from "node:net";
import { StackError } from "./errors.ts";

export const loopback = "127.0.0.1";

/** The ports of the stack: where they come from and what they are without a setting. The defaults keep clear of a standard installation. */
export const stackPorts = {
  postgres: { name: "PostgreSQL", variable: "PERKS_POSTGRES_PORT", fallback: 15432 },
  kafka: { name: "Kafka", variable: "PERKS_KAFKA_PORT", fallback: 19092 },
  registry: { name: "The schema registry", variable: "PERKS_REGISTRY_PORT", fallback: 18081 },
} as const;

export interface PortSetting {
  readonly name: string;
  readonly variable: string;
  readonly fallback: number;
}

export interface StackPorts {
  readonly postgres: number;
  readonly kafka: number;
  readonly registry: number;
}

/** Distinct ports that nobody listens on at this moment; all are held until the last is known. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(Array.from({ length: count }, () => listen(0)));
  const ports = servers.map((server) => {
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("a TCP server has no port");
    return address.port;
  });
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** Throws `port_taken`, naming the variable to set, when somebody listens on the port. */
export async function requireFree(setting: PortSetting, port: number): Promise<void> {
  try {
    const server = await listen(port);
    await new Promise((resolve) => server.close(resolve));
  } catch (error) {
    throw new StackError(
      "port_taken",
      `${setting.name} cannot use port ${port}, because another program listens there: stop that program or set ${setting.variable} to a free port.`,
      { cause: error },
    );
  }
}

/** The port that the environment names, else the default. Throws a RangeError that names the variable. */
export function portFrom(setting: PortSetting, env: NodeJS.ProcessEnv): number {
  const text = env[setting.variable];
  if (text === undefined || text === "") return setting.fallback;
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new RangeError(`${setting.variable} must be a port from 1 to 65535, not "${text}".`);
  return port;
}

function listen(port: number): Promise<ReturnType<typeof createServer>> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen({ port, host: loopback, exclusive: true }, () => resolve(server));
  });
}

/** Whether somebody accepts connections at `host:port`. */
export function isPortOpen(address: string): Promise<boolean> {
  const at = address.lastIndexOf(":");
  return new Promise((resolve) => {
    const socket = connect({ host: address.slice(0, at), port: Number(address.slice(at + 1)), timeout: 2_000 });
    const answer = (isOpen: boolean) => {
      socket.destroy();
      resolve(isOpen);
    };
    socket.once("connect", () => answer(true));
    socket.once("error", () => answer(false));
    socket.once("timeout", () => answer(false));
  });
}
