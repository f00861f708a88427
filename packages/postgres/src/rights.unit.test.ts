import { describe, expect, it } from "vitest";
import { rightsStatements, type StoredObject } from "./rights.ts";

const shop: StoredObject = { kind: "SCHEMA", schema: "shop", name: "", rights: [] };
const table = (name: string, ...rights: StoredObject["rights"]): StoredObject => ({ kind: "TABLE", schema: "shop", name, rights });
const held = (role: string, ...privileges: string[]) => privileges.map((privilege) => ({ role, privilege }));

describe("rights", () => {
  it("are granted where they are missing", () => {
    const declared = [
      { rights: { perkstream_a: { shop: { order: "SELECT, INSERT" } }, perkstream_b: { shop: { order: "SELECT" } } } } as const,
    ];
    expect(rightsStatements(declared, [shop, table("order", ...held("perkstream_a", "SELECT"))])).toEqual([
      'GRANT USAGE ON SCHEMA "shop" TO "perkstream_a"',
      'GRANT USAGE ON SCHEMA "shop" TO "perkstream_b"',
      'GRANT INSERT ON TABLE "shop"."order" TO "perkstream_a"',
      'GRANT SELECT ON TABLE "shop"."order" TO "perkstream_b"',
    ]);
  });

  it("are taken away where nobody declares them, of tables that are not named too", () => {
    const declared = [{ rights: { perkstream_a: { shop: { ledger: "SELECT, INSERT" } } } } as const];
    const stored = [
      table("ledger", ...held("perkstream_a", "DELETE", "INSERT", "SELECT")),
      table("secret", ...held("perkstream_a", "SELECT"), ...held("perkstream_b", "SELECT")),
    ];
    expect(rightsStatements(declared, stored)).toEqual([
      'REVOKE DELETE ON TABLE "shop"."ledger" FROM "perkstream_a"',
      'REVOKE SELECT ON TABLE "shop"."secret" FROM "perkstream_a"',
    ]);
  });

  it("of schemas that no package speaks of stay as they are", () => {
    const declared = [{ rights: { perkstream_a: { other: { order: "SELECT" } } } } as const];
    expect(rightsStatements(declared, [shop, table("order", ...held("perkstream_a", "SELECT"))])).toEqual([]);
  });

  it("let a role read which migrations of its schemas were applied", () => {
    const declared = [{ rights: { perkstream_a: { shop: {} } } }];
    const applied = (name: string, kind: StoredObject["kind"] = "TABLE"): StoredObject => ({
      kind,
      schema: "migrations",
      name,
      rights: [],
    });
    expect(
      rightsStatements(declared, [applied("", "SCHEMA"), applied("shop"), applied("shop_id_seq", "SEQUENCE"), applied("other")]),
    ).toEqual(['GRANT USAGE ON SCHEMA "migrations" TO "perkstream_a"', 'GRANT SELECT ON TABLE "migrations"."shop" TO "perkstream_a"']);
  });

  it("of one role on one schema are declared once", () => {
    const declared = [{ rights: { perkstream_a: { shop: {} } } }, { rights: { perkstream_a: { shop: {} } } }];
    expect(() => rightsStatements(declared, [])).toThrow("declared by two packages");
  });
});
