import type * as Types from "uWebSockets.js";

/**
 * The one place that loads uWebSockets.js. It reads the header limit from the environment while it is loaded: its own
 * 4 KB would hold a JWT and cookies only just.
 */
process.env["UWS_HTTP_MAX_HEADERS_SIZE"] ??= "16384";
export const uWS: typeof Types = await import("uWebSockets.js");
export type { HttpRequest, HttpResponse, TemplatedApp, WebSocket, us_listen_socket, us_socket_context_t } from "uWebSockets.js";
