import { createServer, type Socket } from "node:net";
import { COMPATIBILITY, SchemaRegistry, SchemaType } from "@kafkajs/confluent-schema-registry";
import { describe, expect, inject, it } from "vitest";
import { connectRegistry, openOrderDecoder, openOrderEncoder, schemas } from "./index.ts";
import { samples } from "./testing/samples.ts";

const { registryUrl } = inject("stack");

describe("connectRegistry", () => {
  it("gives encoders their ids and decoders their schemas", async () => {
    const client = new SchemaRegistry({ host: registryUrl });
    const compatibility = COMPATIBILITY.FULL_TRANSITIVE;
    for (const { subject, schema } of schemas) {
      const body = JSON.stringify({ compatibility });
      await fetch(`${registryUrl}/config/${subject}`, { method: "PUT", headers: { "content-type": "application/json" }, body });
      await client.register({ type: SchemaType.AVRO, schema }, { subject, compatibility });
    }
    const registry = connectRegistry(registryUrl, { timeoutMs: 30_000 });
    const encoder = await openOrderEncoder(registry);
    const decoder = openOrderDecoder(connectRegistry(registryUrl, { timeoutMs: 30_000 }));
    for (const sample of samples) {
      if (sample.type !== "OrderPlaced" && sample.type !== "OrderRefunded" && sample.type !== "OrderCancelled") continue;
      const value = encoder.encode(sample);
      await decoder.prepare([value]);
      expect(decoder.decode(value)).toMatchObject({ ok: true, event: sample });
    }
  });

  it("tells an unknown id from an outage", async () => {
    const value = Buffer.of(0, 0x7f, 0xff, 0xff, 0xff);
    const decoder = openOrderDecoder(connectRegistry(registryUrl, { timeoutMs: 30_000 }));
    await decoder.prepare([value]);
    expect(decoder.decode(value)).toEqual({ ok: false, message: "schema id 2147483647 is not in the registry" });
    const nowhere = connectRegistry("http://127.0.0.1:2", { timeoutMs: 1_000 });
    await expect(openOrderDecoder(nowhere).prepare([value])).rejects.toMatchObject({ name: "RegistryError", retryable: true });
    await expect(nowhere.idOf("s", '"string"')).rejects.toMatchObject({ name: "RegistryError", retryable: true });
  });

  it("gives up on a registry that takes the request and never answers", async () => {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => sockets.add(socket.on("error", () => {})));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    const registry = connectRegistry(`http://127.0.0.1:${address.port}`, { timeoutMs: 200 });
    await expect(registry.schemaOf(1)).rejects.toMatchObject({ name: "RegistryError", retryable: true });
    await expect(registry.idOf("s", '"string"')).rejects.toMatchObject({ name: "RegistryError", retryable: true });
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });

  it("says that a schema is not registered", async () => {
    const registry = connectRegistry(registryUrl, { timeoutMs: 30_000 });
    await expect(registry.idOf("nobody.v1-perkstream.Nobody", schemas[0]?.schema ?? "")).rejects.toMatchObject({
      name: "RegistryError",
      retryable: false,
      message: expect.stringContaining("npm run schemas -- register") as string,
    });
  });
});
