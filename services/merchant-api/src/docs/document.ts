import type { OpenAPIHono } from "@hono/zod-openapi";
import type { AppEnv } from "../http/context.ts";

export type Document = ReturnType<OpenAPIHono<AppEnv>["getOpenAPI31Document"]>;

const description = `JSON in camelCase. Amounts are integers in minor units (\`…Minor\`), times ISO 8601 UTC, ids of customers and orders the merchant's own strings.
Absent and null are the same in requests; answers write null. Lists answer \`{data, nextCursor}\`.
Errors are \`application/problem+json\` with a \`code\` from a closed list. \`Idempotency-Key\` on a POST: the same key and body get the same answer for 24 hours.
In development the header \`Perks-Now: <ISO time>\` sets the clock of a request.`;

/** The OpenAPI 3.1 document of everything that is mounted. */
export function openApiDocument(app: OpenAPIHono<AppEnv>): Document {
  return app.getOpenAPI31Document({ openapi: "3.1.0", info: { title: "Perkstream merchant API", version: "1", description } });
}

export function registerSecurity(app: OpenAPIHono<AppEnv>): void {
  const schemes = {
    merchantToken: {
      type: "http",
      scheme: "bearer",
      bearerFormat: "JWT",
      description: "Audience `perkstream-merchant`; claims `merchant`, `role`, `sub`, `exp`.",
    },
    customerToken: {
      type: "http",
      scheme: "bearer",
      bearerFormat: "JWT",
      description: "Audience `perkstream-customer`; only `/v1/me…` and the notifier.",
    },
    apiKey: { type: "apiKey", in: "header", name: "X-Api-Key", description: "A merchant's key, with a role." },
    bootstrapKey: { type: "apiKey", in: "header", name: "X-Api-Key", description: "PERKS_BOOTSTRAP_KEY." },
  } as const;
  for (const [name, scheme] of Object.entries(schemes)) app.openAPIRegistry.registerComponent("securitySchemes", name, scheme);
}
