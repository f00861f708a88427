import { orderPrograms } from "../start/services.ts";

/** A process of the product; two of one service differ by their name. */
export interface InstanceSpec {
  readonly name: string;
  /** Its folder in services/. */
  readonly service: string;
}

/** What runs all the time: every program once, two notifiers, the merchant API. */
export const standing: readonly InstanceSpec[] = [
  ...orderPrograms.map((program) => ({ name: `${program}-processor`, service: `${program}-processor` })),
  { name: "notifier", service: "notifier" },
  { name: "notifier-2", service: "notifier" },
  { name: "merchant-api", service: "merchant-api" },
];

/** A second process of each program, which comes and goes: every time the group rebalances twice. */
export const seconds: readonly InstanceSpec[] = orderPrograms.map((program) => ({
  name: `${program}-processor-2`,
  service: `${program}-processor`,
}));

/** The servers below the product. */
export const servers = ["postgres", "kafka", "registry"] as const;
