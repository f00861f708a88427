import type { Log } from "../log.ts";
import { setTimeout as after } from "node:timers/promises";
import type { Client, Socket } from "../client.ts";
import type { Hub } from "../hub.ts";
import type { Limits } from "../limits.ts";
import type { NotifierMetrics } from "../metrics.ts";
import { isLoopbackHost } from "../origins.ts";
import { closeCodes } from "../protocol/close.ts";
import { TokenBucket } from "../protocol/frame-rate.ts";
import type { CustomerClaims, Tokens } from "../tokens.ts";
import { type Answer, problem, readRequest, text, type Request, write } from "./answer.ts";
import {
  type HttpRequest,
  type HttpResponse,
  type TemplatedApp,
  type us_listen_socket,
  type us_socket_context_t,
  uWS,
  type WebSocket,
} from "./uws.ts";

export interface ServerOptions {
  readonly host: string;
  readonly port: number;
  /** Answers only requests that name this machine. */
  readonly loopbackOnly: boolean;
  readonly hub: Hub;
  readonly limits: Limits;
  readonly tokens: Tokens;
  readonly originAllowed: (origin: string) => boolean;
  /** Everything but the socket; null is a 404. */
  readonly answer: (request: Request) => Promise<Answer | null>;
  readonly metrics: NotifierMetrics;
  readonly log: Log;
}

/** What a socket carries: who it is, or why it is closed at once. */
interface Upgraded {
  readonly claims: CustomerClaims | null;
  readonly refused: "origin" | "token" | null;
  client: Client | null;
  open: boolean;
}

const subprotocol = "perks.v1";
const tokenPrefix = "perks.auth.";
/** Frames above it end the connection within uWebSockets.js (1009 or 1006); between it and the limit, 4000 says why. */
const maxPayloadBytes = 64 * 1_024;

export class Server {
  readonly #options: ServerOptions;
  readonly #upgrades: TokenBucket;
  readonly #app: TemplatedApp;
  #listening: us_listen_socket | null = null;
  #port = 0;
  /** Sockets open, and upgrades that wait for their token to be checked. */
  #sockets = 0;
  #draining = false;

  constructor(options: ServerOptions) {
    this.#options = options;
    this.#upgrades = new TokenBucket(options.limits.upgradesPerSecond, performance.now());
    this.#app = uWS.App();
    this.#app.ws<Upgraded>("/v1/connect", {
      maxPayloadLength: maxPayloadBytes,
      maxBackpressure: options.limits.sendBufferBytes,
      idleTimeout: options.limits.idleSeconds,
      sendPingsAutomatically: true,
      compression: uWS.DISABLED,
      upgrade: (response, request, context) => this.#upgrade(response, request, context),
      open: (socket) => this.#open(socket),
      message: (socket, message, isBinary) => this.#message(socket, message, isBinary),
      drain: (socket) => {
        const { client } = socket.getUserData();
        if (client !== null) options.hub.drained(client);
      },
      close: (socket) => this.#closed(socket),
    });
    this.#app.any("/*", (response, request) => this.#http(response, request));
  }

  get port(): number {
    return this.#port;
  }

  /** @throws when the port is taken */
  listen(): Promise<void> {
    const { host, port } = this.#options;
    return new Promise((resolve, reject) => {
      this.#app.listen(host, port, (listening) => {
        if (listening === false) return reject(new Error(`port ${port} of ${host} is taken`));
        this.#listening = listening;
        this.#port = uWS.us_socket_local_port(listening);
        resolve();
      });
    });
  }

  /** New sockets are refused from here on; health and metrics are still answered. */
  refuseUpgrades(): void {
    this.#draining = true;
  }

  /** Ends the listener and whatever is still open. */
  async close(): Promise<void> {
    if (this.#listening !== null) uWS.us_listen_socket_close(this.#listening);
    this.#listening = null;
    await after(20); // close frames that were just written leave first
    this.#app.close();
  }

  #http(response: HttpResponse, raw: HttpRequest): void {
    const request = readRequest(raw);
    let aborted = false;
    response.onAborted(() => void (aborted = true));
    this.#answer(request).then(
      (answer) => {
        if (!aborted) write(response, answer, request);
      },
      (error: unknown) => {
        this.#options.log.error({ err: error, requestId: request.requestId, path: request.path }, "request failed");
        if (!aborted) write(response, problem(500, "internal", "something went wrong", request.requestId), request);
      },
    );
  }

  async #answer(request: Request): Promise<Answer> {
    if (this.#isForeign(request)) return problem(421, "invalid_request", "this host is not served in development", request.requestId);
    // uWebSockets.js passes on what is no upgrade.
    if (request.path === "/v1/connect")
      return problem(400, "invalid_request", "this path is a WebSocket with the subprotocol perks.v1", request.requestId);
    return (await this.#options.answer(request)) ?? problem(404, "not_found", "there is nothing here", request.requestId);
  }

  #isForeign({ host }: Request): boolean {
    return this.#options.loopbackOnly && !isLoopbackHost(host);
  }

  #upgrade(response: HttpResponse, raw: HttpRequest, context: us_socket_context_t): void {
    const request = readRequest(raw);
    const refusal = this.#refusal(request, raw.getHeader("sec-websocket-protocol"));
    if (refusal !== null) {
      this.#options.metrics.upgrades.inc({ result: refusal.status === 503 ? "overloaded" : "refused" });
      return write(response, refusal, request);
    }
    const key = raw.getHeader("sec-websocket-key");
    const extensions = raw.getHeader("sec-websocket-extensions");
    const token = tokenOf(raw.getHeader("sec-websocket-protocol"));
    let aborted = false;
    this.#sockets += 1;
    response.onAborted(() => {
      aborted = true;
      this.#sockets -= 1;
    });
    void this.#judge(request.origin, token).then((upgraded) => {
      if (aborted) return;
      this.#options.metrics.upgrades.inc({ result: upgraded.refused ?? "accepted" });
      response.cork(() => response.upgrade<Upgraded>(upgraded, key, subprotocol, extensions, context));
    });
  }

  #refusal(request: Request, protocols: string): Answer | null {
    const { requestId } = request;
    if (this.#isForeign(request)) return problem(421, "invalid_request", "this host is not served in development", requestId);
    if (!listOf(protocols).includes(subprotocol)) return problem(400, "invalid_request", "the subprotocol perks.v1 is missing", requestId);
    const { limits } = this.#options;
    if (this.#draining || this.#sockets >= limits.connections || !this.#upgrades.take(performance.now())) {
      return problem(503, "unavailable", "no more connections now", requestId, { "retry-after": "2" });
    }
    return null;
  }

  /** A browser shows a close code but no HTTP status: so a bad token and a foreign origin are let in and closed at once. */
  async #judge(origin: string, token: string | null): Promise<Upgraded> {
    if (!this.#options.originAllowed(origin)) return { claims: null, refused: "origin", client: null, open: false };
    const claims = token === null ? null : await this.#options.tokens.customer(token);
    return { claims, refused: claims === null ? "token" : null, client: null, open: false };
  }

  #open(ws: WebSocket<Upgraded>): void {
    const data = ws.getUserData();
    data.open = true;
    const socket = socketOf(ws, data);
    if (data.claims === null) {
      const refused = data.refused ?? "token";
      this.#options.metrics.closes.inc({ reason: refused });
      // Within the upgrade's own write the end would not be carried out until the socket is idle for seconds.
      setImmediate(() => socket.close(closeCodes[refused], refused));
      return;
    }
    if (this.#draining) {
      setImmediate(() => socket.close(closeCodes.restart, "restart"));
      return;
    }
    data.client = this.#options.hub.open(socket, data.claims);
  }

  #message(ws: WebSocket<Upgraded>, message: ArrayBuffer, isBinary: boolean): void {
    const { client } = ws.getUserData();
    if (client === null) return;
    this.#options.hub.frame(client, isBinary ? null : Buffer.from(message).toString("utf8"), message.byteLength);
  }

  #closed(ws: WebSocket<Upgraded>): void {
    const data = ws.getUserData();
    data.open = false;
    this.#sockets -= 1;
    if (data.client !== null) this.#options.hub.gone(data.client);
  }
}

/** A closed socket of uWebSockets.js throws at every touch. */
function socketOf(ws: WebSocket<Upgraded>, data: Upgraded): Socket {
  return {
    send: (frame) => {
      if (data.open) ws.send(frame, false);
    },
    buffered: () => (data.open ? ws.getBufferedAmount() : 0),
    close: (code, reason) => {
      if (data.open) ws.end(code, reason);
    },
  };
}

function listOf(header: string): string[] {
  return header.split(",").map((one) => one.trim());
}

function tokenOf(protocols: string): string | null {
  return (
    listOf(protocols)
      .find((one) => one.startsWith(tokenPrefix))
      ?.slice(tokenPrefix.length) ?? null
  );
}

export const health = { ok: text(200, "ok\n"), notReady: (reason: string) => text(503, `${reason}\n`), ready: text(200, "ready\n") };
