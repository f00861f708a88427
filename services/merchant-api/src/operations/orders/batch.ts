import { z } from "@hono/zod-openapi";
import { orderTimes } from "@perkstream/merchant";
import { type Problem, problemOf, Refusal } from "../../errors.ts";
import { parsePart } from "../../http/input.ts";
import type { Position } from "../../kafka/order-log.ts";
import { operation, reply } from "../../operation.ts";
import { batchBody, orderBody } from "../../schemas/order.ts";
import { problemSchema } from "../../schemas/problem.ts";
import { offsetOut } from "../../schemas/values.ts";
import type { RedemptionCall } from "../redemptions/command.ts";
import { linkAndSend } from "./append.ts";
import { type OrderCommand, placedEvent } from "./events.ts";
import { paidBy } from "./paid.ts";

const result = z
  .object({
    status: z.int(),
    orderId: z.string().nullable(),
    partition: offsetOut.nullable(),
    offset: offsetOut.nullable(),
    error: problemSchema.nullable(),
  })
  .openapi("BatchResult", { description: "Of the order at the same position: status 202 with its place, or the status of `error`." });

/** An order of the batch that can be sent, with its position in it. */
interface Sendable {
  readonly at: number;
  readonly order: OrderCommand;
  readonly paidMinor: bigint;
}

export const placeBatch = operation({
  method: "post",
  path: "/v1/orders/batch",
  tag: "Orders",
  summary: "Sends up to 1,000 orders",
  description:
    "Every order gets a result of its own, at its position; a bad one does not hold back the others. All good ones are one send to Kafka.",
  access: { kind: "merchant", role: "operator" },
  body: batchBody,
  idempotent: true,
  replies: { 200: { description: "A result per order", schema: z.object({ results: z.array(result) }) } },
  async handle(call) {
    const { deps, principal, body, now, requestId } = call;
    const parsed = body.orders.map((item) => parsePart(orderBody, item));
    const judgeAll = async (): Promise<(Sendable | Refusal)[]> => {
      const judged: (Sendable | Refusal)[] = [];
      for (const [at, order] of parsed.entries()) judged.push(order instanceof Refusal ? order : await judge(call, order, at));
      return judged;
    };
    const send = async (judged: readonly (Sendable | Refusal)[]) => {
      const good = judged.filter((one): one is Sendable => !(one instanceof Refusal));
      const times = await orderTimes(
        deps.sql,
        principal.merchant.id,
        good.map(({ order }) => order),
        now,
      );
      const events = good.map(({ order, paidMinor }) =>
        placedEvent(principal.merchant, order, order.occurredAt ?? times.get(order.orderId) ?? now, paidMinor),
      );
      const positions = events.length === 0 ? [] : await deps.orderLog.append(events, now);
      const placed = new Map(good.map(({ at, order }, i) => [at, { orderId: order.orderId, position: positions[i] }]));
      return reply(200, {
        results: judged.map((one, at) =>
          one instanceof Refusal ? refused(body.orders[at], problemOf(one, requestId)) : sent(placed.get(at)),
        ),
      });
    };
    const names = parsed.some((order) => !(order instanceof Refusal) && order.redemptionId !== null);
    return linkAndSend(call, names, judgeAll, send);
  },
});

async function judge(call: RedemptionCall, order: OrderCommand, at: number): Promise<Sendable | Refusal> {
  const paidMinor = await paidBy(call, order);
  return paidMinor instanceof Refusal ? paidMinor : { at, order, paidMinor };
}

function sent(placed: { orderId: string; position: Position | undefined } | undefined) {
  if (placed?.position === undefined) throw new Error("Kafka acknowledged fewer orders than were sent");
  return { status: 202, orderId: placed.orderId, ...placed.position, error: null };
}

function refused(item: unknown, error: Problem) {
  const named = typeof item === "object" && item !== null && "orderId" in item && typeof item.orderId === "string" ? item.orderId : null;
  return { status: error.status, orderId: named, partition: null, offset: null, error: { ...error, errors: [...error.errors] } };
}
