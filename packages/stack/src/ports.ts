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

/* Below the range that systems give to outgoing connections (from 32768 on Linux, 49152 elsewhere): a port from that range may be
   taken by any connection before its server listens, or while the server starts again. */
const firstFree = 20_000;
const freeRange = 12_000;
// Every process goes on from a place of its own, so that two that look at once do not find the same.
let nextFree = Math.floor(Math.random() * freeRange);

/** Distinct ports that nobody listens on at this moment; a process gets none twice. Throws a StackError when there are not as many. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  for (let tried = 0; ports.length < count; tried++) {
    if (tried === freeRange)
      throw new StackError("port_taken", `no ${count} ports from ${firstFree} to ${firstFree + freeRange - 1} are free.`);
    const port = firstFree + (nextFree++ % freeRange);
    if (await isFree(port)) ports.push(port);
  }
  return ports;
}

function isFree(port: number): Promise<boolean> {
  return tryListening(port).then(
    () => true,
    () => false,
  );
}

/** Throws `port_taken`, naming the variable to set, when somebody listens on the port. */
export async function requireFree(setting: PortSetting, port: number): Promise<void> {
  try {
    await tryListening(port);
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

/** Listens and stops again. Rejects when somebody else listens there. */
function tryListening(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen({ port, host: loopback, exclusive: true }, () => server.close(() => resolve()));
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
