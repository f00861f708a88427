// The programs beside tier and cashback, a line each: `export { x } from "./operations/x/extension.ts";` makes the API wait for x
// (settle, sweeps), count it, show its dead letters and offer its operations.
export { stamps } from "./operations/stamps/extension.ts";
