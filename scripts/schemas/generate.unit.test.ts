import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { clientFiles } from "./emit-client.ts";
import { generatedFiles, generatedTargets, staleFiles } from "./generate.ts";
import { schemasFolder } from "./register.ts";
import { copyOfSchemas } from "./testing.ts";

const generatedFolder = fileURLToPath(new URL("../../packages/contracts/src/generated", import.meta.url));

let copy: Awaited<ReturnType<typeof copyOfSchemas>> | undefined;
afterEach(() => copy?.remove());

describe("schemas generate", () => {
  it("has been run since the last change of schemas/", async () => {
    for (const { folder, files } of await generatedTargets(schemasFolder)) expect(await staleFiles(files, folder)).toEqual([]);
  });

  it("gives clients the fields as JSON has them", async () => {
    copy = await copyOfSchemas();
    await copy.edit("notifications/CashbackRedeemed.avsc", (json) => {
      const words = { type: "array", items: ["null", "string"] };
      json.fields = [{ name: "at", type: ["null", { type: "long", logicalType: "timestamp-millis" }], default: null }];
      json.fields.push({ name: "words", type: words }, { name: "amountMinor", type: "long" });
    });
    expect((await clientFiles(copy.root)).get("notifications.ts")).toContain(
      "export interface CashbackRedeemed {\n  at: string | null;\n  words: (string | null)[];\n  amountMinor: number;\n}",
    );
  });

  it("tells which files are out of date", async () => {
    copy = await copyOfSchemas();
    await copy.edit("orders/OrderCancelled.avsc", (json) => json.fields.push({ name: "channel", type: ["null", "string"], default: null }));
    expect(await staleFiles(await generatedFiles(copy.root), generatedFolder)).toEqual(["OrderCancelled.ts"]);
  });

  it.each([
    ["a union of two types", ["int", "string"], "other: only unions of null and one other type are supported"],
    ["bytes", "bytes", "other: bytes is not supported by the generator"],
    ["a map", { type: "map", values: "long" }, "other: map is not supported by the generator"],
    [
      "items of no bytes",
      { type: "array", items: { type: "record", name: "Empty", fields: [] } },
      "other: items that may take no bytes are not supported",
    ],
    ["itself", ["null", "OrderCancelled"], "perkstream.orders.OrderCancelled: recursive types are not supported"],
  ])("refuses %s", async (_, type, message) => {
    copy = await copyOfSchemas();
    await copy.edit("orders/OrderCancelled.avsc", (json) => json.fields.push({ name: "other", type }));
    await expect(generatedFiles(copy.root)).rejects.toThrow(message);
  });

  it.each([
    [
      "a record of another name",
      (json: { name: string }) => void (json.name = "Other"),
      "schemas/orders/OrderCancelled.avsc: holds perkstream.orders.Other: name the file after its record",
    ],
    [
      "another namespace",
      (json: { namespace: string }) => void (json.namespace = "shop"),
      "schemas/orders/OrderCancelled.avsc: the namespace must be perkstream.orders",
    ],
    [
      "an unknown type",
      (json: { fields: { type: unknown }[] }) => void (json.fields = [{ ...json.fields[0], type: "money" }]),
      "schemas/orders/OrderCancelled.avsc: perkstream.orders.OrderCancelled.merchantId: unknown type money",
    ],
  ])("refuses a file with %s", async (_, change, message) => {
    copy = await copyOfSchemas();
    await copy.edit("orders/OrderCancelled.avsc", change);
    await expect(generatedFiles(copy.root)).rejects.toThrow(message);
  });
});
