// Made by `npm run schemas -- generate` from schemas/; do not edit.
import { AvroError } from "../avro/error.ts";
import type { AvroReader } from "../avro/reader.ts";
import type { AvroWriter } from "../avro/writer.ts";
import type { RecordCodec } from "../codec.ts";

export type TierDirection = "PROMOTED" | "DEMOTED" | "OTHER";

/** The customer's tier id changed; sent exactly once per change. Topic notifications.v1, key merchantId:customerId. */
export interface TierChanged {
  readonly type: "TierChanged";
  /** UUIDv5 of what caused it; the same after a replay. */
  readonly id: string;
  readonly merchantId: string;
  readonly customerId: string;
  /** Event time of the cause. Milliseconds since 1970. */
  readonly occurredAt: number;
  /** The order that caused it, if one did. */
  readonly orderId: string | null;
  /** Name of the tier left; null when the customer had none. */
  readonly fromTier: string | null;
  /** Name of the tier entered; null when the customer has none now. */
  readonly toTier: string | null;
  readonly direction: TierDirection;
  /** order, refund, period_end, rules_changed, pinned or unpinned. */
  readonly reason: string;
  readonly nextTier: string | null;
  /** Metric still missing for nextTier. */
  readonly toNextTierMinor: bigint | null;
}

function readDirection(r: AvroReader): TierDirection {
  switch (r.index("direction", 3, "enum")) {
    case 1:
      return "DEMOTED";
    case 2:
      return "OTHER";
    default:
      return "PROMOTED";
  }
}

function readTierChanged(r: AvroReader): TierChanged {
  return {
    type: "TierChanged",
    id: r.string("id"),
    merchantId: r.string("merchantId"),
    customerId: r.string("customerId"),
    occurredAt: r.safeLong("occurredAt"),
    orderId: r.index("orderId", 2, "union") === 0 ? null : r.string("orderId"),
    fromTier: r.index("fromTier", 2, "union") === 0 ? null : r.string("fromTier"),
    toTier: r.index("toTier", 2, "union") === 0 ? null : r.string("toTier"),
    direction: readDirection(r),
    reason: r.string("reason"),
    nextTier: r.index("nextTier", 2, "union") === 0 ? null : r.string("nextTier"),
    toNextTierMinor: r.index("toNextTierMinor", 2, "union") === 0 ? null : r.long("toNextTierMinor"),
  };
}

function indexOfDirection(symbol: TierDirection): number {
  switch (symbol) {
    case "PROMOTED":
      return 0;
    case "DEMOTED":
      return 1;
    case "OTHER":
      return 2;
    default:
      throw new AvroError("direction", `${String(symbol)} is no symbol`);
  }
}

function writeTierChanged(w: AvroWriter, v: Omit<TierChanged, "type">): void {
  w.string("id", v.id);
  w.string("merchantId", v.merchantId);
  w.string("customerId", v.customerId);
  w.safeLong("occurredAt", v.occurredAt);
  if (v.orderId === null) {
    w.index("orderId", 0);
  } else {
    w.index("orderId", 1);
    w.string("orderId", v.orderId);
  }
  if (v.fromTier === null) {
    w.index("fromTier", 0);
  } else {
    w.index("fromTier", 1);
    w.string("fromTier", v.fromTier);
  }
  if (v.toTier === null) {
    w.index("toTier", 0);
  } else {
    w.index("toTier", 1);
    w.string("toTier", v.toTier);
  }
  w.index("direction", indexOfDirection(v.direction));
  w.string("reason", v.reason);
  if (v.nextTier === null) {
    w.index("nextTier", 0);
  } else {
    w.index("nextTier", 1);
    w.string("nextTier", v.nextTier);
  }
  if (v.toNextTierMinor === null) {
    w.index("toNextTierMinor", 0);
  } else {
    w.index("toNextTierMinor", 1);
    w.long("toNextTierMinor", v.toNextTierMinor);
  }
}

const schema =
  '{"type":"record","name":"TierChanged","namespace":"perkstream.notifications","doc":"The customer\'s tier id changed; sent exactly once per change. Topic notifications.v1, key merchantId:customerId.","fields":[{"name":"id","type":"string","doc":"UUIDv5 of what caused it; the same after a replay."},{"name":"merchantId","type":"string"},{"name":"customerId","type":"string"},{"name":"occurredAt","type":{"type":"long","logicalType":"timestamp-millis"},"doc":"Event time of the cause."},{"name":"orderId","type":["null","string"],"default":null,"doc":"The order that caused it, if one did."},{"name":"fromTier","type":["null","string"],"default":null,"doc":"Name of the tier left; null when the customer had none."},{"name":"toTier","type":["null","string"],"default":null,"doc":"Name of the tier entered; null when the customer has none now."},{"name":"direction","type":{"type":"enum","name":"TierDirection","symbols":["PROMOTED","DEMOTED","OTHER"],"default":"OTHER"}},{"name":"reason","type":"string","doc":"order, refund, period_end, rules_changed, pinned or unpinned."},{"name":"nextTier","type":["null","string"],"default":null},{"name":"toNextTierMinor","type":["null","long"],"default":null,"doc":"Metric still missing for nextTier."}]}';

export const tierChangedCodec: RecordCodec<TierChanged> = {
  type: "TierChanged",
  fullName: "perkstream.notifications.TierChanged",
  topic: "notifications.v1",
  subject: "notifications.v1-perkstream.notifications.TierChanged",
  schema,
  read: readTierChanged,
  write: writeTierChanged,
};
