export { connect } from "./connect.ts";
export type { Connection, ConnectOptions, WebSocketConstructor, WebSocketLike } from "./connect.ts";
export type { ConnectionState } from "./machine.ts";
export { memoryStorage } from "./storage.ts";
export type { CursorStorage } from "./storage.ts";
export type { FinalReason } from "./protocol.ts";
export type * from "./notifications.ts";
