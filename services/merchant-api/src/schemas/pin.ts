import { z } from "@hono/zod-openapi";
import { instant } from "./time.ts";
import { id, optional, text } from "./values.ts";

const until = optional(instant).openapi({ description: "When the pin ends; without it, never." });

export const moveBody = z.object({ reason: text(256, 1), until }).openapi("Move");
export const pinBody = z.object({ levelId: id, reason: text(256, 1), until }).openapi("Pin");
