export { acknowledge, ackChannel, parseAck, storeAcks, type Ack, type AckResult } from "./acks.ts";
export { formatCursor, parseCursor, type Cursor } from "./cursor.ts";
export { customerKey, isCustomerId, isUuid, parseCustomerKey, type Customer } from "./customer.ts";
export { migrations } from "./migrations.ts";
export {
  createInboxProgram,
  defaultRetentionMs,
  inboxGroup,
  inboxName,
  inboxTopic,
  type InboxEvent,
  type InboxSettings,
  type InboxWork,
  type RecordReader,
} from "./program.ts";
export {
  inboxPositions,
  inboxProgress,
  inboxState,
  listNotifications,
  notificationsBetween,
  unreadNotifications,
  type InboxPosition,
  type InboxState,
  type StoredNotification,
} from "./queries.ts";
export { readMark, Sources, type SourceMark, type StoredSource } from "./sources.ts";
