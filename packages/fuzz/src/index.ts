export { anyBytes, changedBytes } from "./bytes.ts";
export { fuzz, type FuzzOptions } from "./fuzz.ts";
export { oddNumber, oddText, oddValue } from "./odd.ts";
