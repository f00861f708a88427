export { Alignment, type AlignmentRules } from "./alignment.ts";
export { type CustomerDifference, type CustomerKey, type TellCustomer, tellOf } from "./customer-report.ts";
export { type CustomerReplay, type NoticeSink, replayCustomer, type ReplayMachine } from "./customer-replay.ts";
export {
  type Difference,
  differingFields,
  type Fields,
  type Problem,
  type ProgramName,
  type Report,
  type Shown,
  shownAt,
  shownDay,
  type Thing,
  type Where,
} from "./difference.ts";
export { KnownMerchant } from "./known-merchant.ts";
export { isBefore, type KnownFromRow, type ReplayPlace, VersionClock } from "./place.ts";
export { type ReplayedRefund, ReplayLedger } from "./replay-ledger.ts";
export { RowStream } from "./row-stream.ts";
export { type CustomerHistory, knownRedrives, type KnownRedrives, takeHistory } from "./sequence.ts";
export { type Snapshot, withSnapshot } from "./snapshot.ts";
export {
  type AppliedRow,
  BY_CUSTOMER,
  type Group,
  inGroup,
  openStored,
  type OrderRow,
  type RefundRow,
  type StoredStreams,
} from "./stored.ts";
export { checkTable, type OwnedTable, type TableCheck, verifyHostTables } from "./host-tables.ts";
export { type ExpectedNotice, type FoundNotice, NoticeMatch } from "./notice-match.ts";
