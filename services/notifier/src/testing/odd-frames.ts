import { randomBytes } from "node:crypto";
import * as fc from "fast-check";
import { anyBytes, changedBytes, oddText, oddValue } from "@perkstream/fuzz";

/** A WebSocket frame as a client writes it, or as none should. */
interface WireFrame {
  readonly opcode: number;
  readonly payload: Buffer;
  readonly fin?: boolean;
  readonly masked?: boolean;
  /** The three reserved bits. */
  readonly reserved?: number;
  /** What the header says instead of the payload's own length. */
  readonly declared?: bigint;
}

function wireOf({ opcode, payload, fin = true, masked = true, reserved = 0, declared }: WireFrame): Buffer {
  const first = (fin ? 0x80 : 0) | (reserved << 4) | opcode;
  const length = declared ?? BigInt(payload.length);
  const flag = masked ? 0x80 : 0;
  let head: Buffer;
  if (length < 126n) head = Buffer.from([first, flag | Number(length)]);
  else if (length < 65_536n && declared === undefined) head = Buffer.from([first, flag | 126, payload.length >> 8, payload.length & 255]);
  else {
    head = Buffer.from([first, flag | 127, 0, 0, 0, 0, 0, 0, 0, 0]);
    head.writeBigUInt64BE(length, 2);
  }
  if (!masked) return Buffer.concat([head, payload]);
  const mask = randomBytes(4);
  return Buffer.concat([head, mask, payload.map((byte, i) => byte ^ (mask[i & 3] ?? 0))]);
}

export const goodbye = wireOf({ opcode: 8, payload: Buffer.from([0x03, 0xe8]) });

const cursors = fc.oneof(
  fc.constantFrom(
    "0:-1",
    "1:-1",
    "2:-1",
    "0:0",
    "1:5",
    "2:999999999999999",
    "3:1",
    "-1:0",
    "0:-2",
    "0:1e3",
    "00:1",
    "0:9007199254740993",
    "0",
    "",
  ),
  oddText,
);
const messages = (tokens: fc.Arbitrary<string>): fc.Arbitrary<unknown> =>
  fc.oneof(
    { weight: 6, arbitrary: fc.constant({ t: "hello", device: "d" }) },
    {
      weight: 3,
      arbitrary: fc.record(
        { t: fc.constant("hello"), device: fc.oneof(oddText, oddValue), cursor: fc.oneof(cursors, oddValue) },
        { requiredKeys: ["t"], noNullPrototype: true },
      ),
    },
    { weight: 4, arbitrary: fc.record({ t: fc.constant("hello"), device: fc.constant("d"), cursor: cursors }) },
    {
      weight: 5,
      arbitrary: fc.record({
        t: fc.constant("ack"),
        cursor: fc.oneof({ weight: 4, arbitrary: cursors }, { weight: 1, arbitrary: oddValue }),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        t: fc.constant("auth"),
        token: fc.oneof({ weight: 4, arbitrary: tokens }, { weight: 1, arbitrary: oddValue }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ t: oddText }) },
    { weight: 2, arbitrary: oddValue },
  );
const largeText = fc
  .constantFrom(4_090, 4_096, 4_097, 65_535, 65_536, 65_537, 200_000)
  .map((size) => `{"t":"ack","cursor":"${"x".repeat(Math.max(0, size - 23))}"}`);
const deepText = fc.constantFrom(
  "[".repeat(4_000),
  '{"t":'.repeat(800),
  `{"t":"hello","t":"ack","device":"d","cursor":"0:1"}`,
  "\ufeff{}",
  "",
);

const single = (tokens: fc.Arbitrary<string>): fc.Arbitrary<WireFrame[]> => {
  const json = messages(tokens).map((message) => Buffer.from(JSON.stringify(message) ?? "null"));
  const text = fc.oneof(
    { weight: 30, arbitrary: json },
    { weight: 1, arbitrary: fc.oneof(largeText, deepText).map((long) => Buffer.from(long)) },
  );
  return fc.oneof(
    { weight: 20, arbitrary: text.map((payload) => [{ opcode: 1, payload }]) },
    { weight: 2, arbitrary: changedBytes(json).map((payload) => [{ opcode: 1, payload }]) },
    // In parts, the first of them a text frame, the others continuations; a ping between them is allowed.
    { weight: 3, arbitrary: fc.tuple(json, fc.nat({ max: 200 }), fc.boolean()).map(([payload, at, ping]) => inParts(payload, at, ping)) },
    { weight: 1, arbitrary: anyBytes.map((payload) => [{ opcode: 2, payload }]) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.integer({ min: 0, max: 15 }), anyBytes, fc.boolean())
        .map(([opcode, payload, fin]) => [{ opcode, payload, fin }]),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.constantFrom(8, 9, 10), fc.uint8Array({ maxLength: 140 }))
        .map(([opcode, bytes]) => [{ opcode, payload: Buffer.from(bytes) }]),
    },
    {
      weight: 1,
      arbitrary: fc.tuple(json, fc.integer({ min: 1, max: 7 })).map(([payload, reserved]) => [{ opcode: 1, payload, reserved }]),
    },
    { weight: 1, arbitrary: json.map((payload) => [{ opcode: 1, payload, masked: false }]) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(json, fc.constantFrom(0n, 5n, 65_536n, 2n ** 31n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n))
        .map(([payload, declared]) => [{ opcode: 1, payload, declared }]),
    },
  );
};

function inParts(payload: Buffer, at: number, ping: boolean): WireFrame[] {
  const cut = at % (payload.length + 1);
  const between: WireFrame[] = ping ? [{ opcode: 9, payload: Buffer.from("p") }] : [];
  return [{ opcode: 1, payload: payload.subarray(0, cut), fin: false }, ...between, { opcode: 0, payload: payload.subarray(cut) }];
}

export interface OddStream {
  readonly bytes: Buffer;
  readonly frames: number;
  /** Every frame has the bytes that it says: what follows is read as a frame, too. */
  readonly whole: boolean;
}

/** What a client sends after the upgrade: mostly frames, sometimes no such thing. */
export const oddStreams = (tokens: fc.Arbitrary<string>): fc.Arbitrary<OddStream> =>
  fc.oneof(
    {
      weight: 12,
      arbitrary: fc.array(single(tokens), { minLength: 1, maxLength: 6 }).map((lists): OddStream => {
        const frames = lists.flat();
        const whole = frames.every(({ declared }) => declared === undefined);
        return { bytes: Buffer.concat(frames.map(wireOf)), frames: frames.length, whole };
      }),
    },
    { weight: 1, arbitrary: anyBytes.map((bytes): OddStream => ({ bytes, frames: 1, whole: false })) },
  );
