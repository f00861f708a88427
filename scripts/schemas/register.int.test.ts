import { randomBytes } from "node:crypto";
import { afterEach, describe, expect, inject, it } from "vitest";
import { checkRegistry } from "./check.ts";
import { readSchemas } from "./folder.ts";
import { IncompatibleSchemaError, registerSchemas } from "./register.ts";
import { openRegistryApi } from "./registry-api.ts";
import { copyOfSchemas } from "./testing.ts";

const { registryUrl, postgresUrl } = inject("stack");

/** schemas/ under topic names that no other test has. */
async function ownSubjects() {
  const copy = await copyOfSchemas();
  const prefix = `t${randomBytes(6).toString("hex")}`;
  await copy.write("topics.json", JSON.stringify({ orders: `${prefix}-orders.v1`, notifications: `${prefix}-notifications.v1` }));
  return { ...copy, placed: `${prefix}-orders.v1-perkstream.orders.OrderPlaced` };
}

let copy: Awaited<ReturnType<typeof ownSubjects>>;
afterEach(() => copy.remove());

async function get(path: string): Promise<unknown> {
  return (await fetch(`${registryUrl}${path}`)).json();
}

describe("schemas register", () => {
  it("registers every schema once, with FULL_TRANSITIVE on every subject", async () => {
    copy = await ownSubjects();
    const first = await registerSchemas({ registryUrl, postgresUrl, schemasRoot: copy.root });
    expect(first).toHaveLength((await readSchemas(copy.root)).length);
    expect(await registerSchemas({ registryUrl, postgresUrl, schemasRoot: copy.root })).toEqual(first);
    for (const { subject, id } of first) {
      expect(await get(`/config/${subject}`)).toEqual({ compatibilityLevel: "FULL_TRANSITIVE" });
      expect(await get(`/subjects/${subject}/versions/latest`)).toMatchObject({ subject, version: 1, id });
    }
    expect(await get("/config")).toEqual({ compatibilityLevel: "FULL_TRANSITIVE" });
  });

  it("refuses an incompatible schema, naming the field and the rule, and registers nothing", async () => {
    copy = await ownSubjects();
    await registerSchemas({ registryUrl, postgresUrl, schemasRoot: copy.root });
    await copy.edit("orders/OrderPlaced.avsc", (json) => json.fields.push({ name: "channel", type: "string" }));
    await copy.edit("orders/OrderCancelled.avsc", (json) => json.fields.push({ name: "note", type: ["null", "string"], default: null }));
    const failed = await registerSchemas({ registryUrl, postgresUrl, schemasRoot: copy.root }).catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(IncompatibleSchemaError);
    expect(String(failed)).toContain(
      `${copy.placed}: OrderPlaced.channel: READER_FIELD_MISSING_DEFAULT_VALUE: this schema cannot read records of registered version 1`,
    );
    expect(await get(`/subjects/${copy.placed.replace("OrderPlaced", "OrderCancelled")}/versions`)).toEqual([1]);
    expect(await checkRegistry(copy.root, openRegistryApi(registryUrl))).toMatchObject([{ path: "OrderPlaced.channel" }]);
  });

  it("lets the registry itself refuse what was registered without it", async () => {
    copy = await ownSubjects();
    await registerSchemas({ registryUrl, postgresUrl, schemasRoot: copy.root });
    const registry = openRegistryApi(registryUrl);
    const other = JSON.stringify({
      type: "record",
      name: "OrderPlaced",
      namespace: "perkstream.orders",
      fields: [{ name: "a", type: "int" }],
    });
    expect(await registry.isCompatible(copy.placed, other)).toBe(false);
    await expect(registry.register(copy.placed, other)).rejects.toMatchObject({ name: "RegistryApiError", status: 409 });
  });

  it("registers a compatible version beside the first", async () => {
    copy = await ownSubjects();
    await registerSchemas({ registryUrl, postgresUrl, schemasRoot: copy.root });
    await copy.edit("orders/OrderPlaced.avsc", (json) => json.fields.push({ name: "channel", type: ["null", "string"], default: null }));
    await Promise.all([1, 2, 3].map(() => registerSchemas({ registryUrl, postgresUrl, schemasRoot: copy.root })));
    expect(await get(`/subjects/${copy.placed}/versions`)).toEqual([1, 2]);
  });

  it("says in one sentence that the registry does not answer", async () => {
    copy = await ownSubjects();
    await expect(registerSchemas({ registryUrl: "http://127.0.0.1:2/apis", schemasRoot: copy.root })).rejects.toMatchObject({
      name: "RegistryApiError",
      status: null,
    });
    expect(await openRegistryApi("http://127.0.0.1:2/apis").answers()).toBe(false);
  });
});
