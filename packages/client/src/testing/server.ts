import * as uws from "uWebSockets.js";

/** A server that speaks just enough perks.v1 for the client's own tests: one customer, notes kept in memory. */
export interface TestServer {
  url: string;
  /** Tokens of the upgrades, oldest first. */
  tokens: string[];
  /** Frames of all clients, oldest first. */
  received: Record<string, unknown>[];
  refuse: (token: string) => boolean;
  note(offset: number): void;
  broadcast(frame: object): void;
  /** Ends every connection with this code, or without one (the network is gone). */
  drop(code?: number): void;
  stop(): void;
}

interface Peer {
  token: string;
}

const encode = (offset: number): string => {
  const at = new Date(offset).toISOString();
  return JSON.stringify({ t: "note", cursor: `0:${offset}`, id: `n${offset}`, type: "TierChanged", at, data: {} });
};

export async function startServer(): Promise<TestServer> {
  const peers = new Set<uws.WebSocket<Peer>>();
  const offsets: number[] = [];
  let listening: uws.us_listen_socket | false = false;

  function answer(peer: uws.WebSocket<Peer>, frame: Record<string, unknown>): void {
    server.received.push(frame);
    const expiresAt = new Date(Date.now() + 900_000).toISOString();
    if (frame["t"] === "auth") peer.send(JSON.stringify({ t: "auth", expiresAt }));
    if (frame["t"] !== "hello") return;
    const cursor = typeof frame["cursor"] === "string" ? frame["cursor"] : "0:0";
    peer.send(JSON.stringify({ t: "welcome", session: "s", cursor, resumed: "cursor" in frame, expiresAt }));
    for (const offset of offsets) if (offset > Number(cursor.slice(2))) peer.send(encode(offset));
  }

  const server: TestServer = {
    url: "",
    tokens: [],
    received: [],
    refuse: () => false,
    note(offset) {
      offsets.push(offset);
      for (const peer of peers) peer.send(encode(offset));
    },
    broadcast(frame) {
      for (const peer of peers) peer.send(JSON.stringify(frame));
    },
    drop(code) {
      for (const peer of peers)
        if (code === undefined) peer.close();
        else peer.end(code);
    },
    stop() {
      if (listening !== false) uws.us_listen_socket_close(listening);
      listening = false;
      server.drop();
    },
  };

  const app = uws.App().ws<Peer>("/v1/connect", {
    upgrade(response, request, context) {
      const offered = request.getHeader("sec-websocket-protocol").split(", ");
      const token = offered.find((name) => name.startsWith("perks.auth."))?.slice("perks.auth.".length) ?? "";
      server.tokens.push(token);
      const key = request.getHeader("sec-websocket-key");
      response.upgrade({ token }, key, "perks.v1", request.getHeader("sec-websocket-extensions"), context);
    },
    open(peer) {
      if (server.refuse(peer.getUserData().token)) peer.end(4001);
      else peers.add(peer);
    },
    message: (peer, data) => answer(peer, JSON.parse(Buffer.from(data).toString()) as Record<string, unknown>),
    close: (peer) => void peers.delete(peer),
  });
  await new Promise<void>((resolve, reject) => {
    app.listen("127.0.0.1", 0, (socket) => {
      listening = socket;
      if (socket === false) return reject(new Error("no free port"));
      server.url = `ws://127.0.0.1:${uws.us_socket_local_port(socket)}/v1/connect`;
      resolve();
    });
  });
  return server;
}
