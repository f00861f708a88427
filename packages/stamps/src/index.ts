export { type CardChange, type CardJson, findCard, listCards, MAX_CARDS, putCard } from "./edit-cards.ts";
export { migrations } from "./migrations.ts";
export { createStampsProgram, type StampsChunk, type StampsProgramOptions } from "./program.ts";
export { type CustomerCard, customerCards } from "./queries.ts";
