import { createCashbackProgram } from "@perkstream/cashback";
import { createLevels, createTierProgram } from "@perkstream/tier";
import { extensions } from "./composition.ts";
import type { Deps } from "./deps.ts";
import { type Redriver, redriverOf } from "./redriver.ts";

/** The programs whose dead letters are read once more, in the order of locks; made anew for each request, with nothing cached. */
export function redriversOf(deps: Deps): readonly Redriver[] {
  const { sql, partitions, records } = deps;
  const common = { decoder: records.storedOrders, encoder: records.notifications, partitions };
  return [
    redriverOf(createTierProgram(common)),
    redriverOf(createCashbackProgram({ ...common, tier: createLevels(), sql })),
    ...extensions.map(({ create }) => redriverOf(create(common))),
  ];
}
