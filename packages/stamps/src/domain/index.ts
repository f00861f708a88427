export type { CardRules, Line } from "./card.ts";
export { type Bought, type Standing, standingOf } from "./sheet.ts";
export { type Stamped, stampOrder } from "./stamp.ts";
export { unitsLeft } from "./units.ts";
