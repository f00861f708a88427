import { type DecoderOptions, openDecoder, type RecordDecoder } from "./decoder.ts";
import { AvroWriter } from "./avro/writer.ts";
import { ordersCodecs, type OrdersRecords } from "./generated/orders.ts";
import type { Registry } from "./registry.ts";

/** A record of orders.v1. Amounts are bigint minor units, `occurredAt` is ms since 1970. */
export type OrderEvent = OrdersRecords[keyof OrdersRecords];

/** Decodes orders.v1; any other record type is refused with a message. */
export function openOrderDecoder(registry: Registry, options?: DecoderOptions): RecordDecoder<OrderEvent> {
  return openDecoder<OrderEvent>(registry, Object.values(ordersCodecs), options);
}

export interface OrderEncoder {
  /** The framed value. Throws AvroError, naming the field, for what the schema cannot hold. */
  encode(event: OrderEvent): Buffer;
}

/** Encodes orders.v1 with the ids of the registry. Rejects with RegistryError on an outage or when a schema is not registered. */
export async function openOrderEncoder(registry: Registry): Promise<OrderEncoder> {
  const { OrderPlaced, OrderRefunded, OrderCancelled } = ordersCodecs;
  const [placedId, refundedId, cancelledId] = await Promise.all(
    [OrderPlaced, OrderRefunded, OrderCancelled].map(({ subject, schema }) => registry.idOf(subject, schema)),
  );
  const ids = { OrderPlaced: placedId ?? 0, OrderRefunded: refundedId ?? 0, OrderCancelled: cancelledId ?? 0 };
  const writer = new AvroWriter();
  return {
    encode: (event) => {
      writer.open(ids[event.type]);
      if (event.type === "OrderPlaced") OrderPlaced.write(writer, event);
      else if (event.type === "OrderRefunded") OrderRefunded.write(writer, event);
      else OrderCancelled.write(writer, event);
      return writer.close();
    },
  };
}
