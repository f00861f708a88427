export type {
  AppliedStep,
  ChunkContext,
  DeadLetter,
  Decoded,
  Entry,
  Notice,
  Outcome,
  PartitionProgress,
  Program,
  Rejection,
  SourceRecord,
  SweepOutcome,
  SweepRequest,
} from "./program.ts";
export { holdsFrom, placeOf } from "./program.ts";
export { crashEnvironment, crashPointOf, type CrashPoint } from "./crash.ts";
export { deadLetterTopic } from "./dead-letter-publisher.ts";
export { classify, DefectError, FenceLostError, type FailureKind } from "./errors.ts";
export { createKafka, kafkajs, type KafkaSettings } from "./kafkajs.ts";
export { noticeId } from "./notice-id.ts";
export {
  ensureProgress,
  inPartitions,
  readProgress,
  wakeChannel,
  withPartitions,
  type CommandContext,
  type ProgramScope,
  type StoredProgress,
} from "./progress.ts";
export { findDeadLetter, redrive, type RedriveResult, type StoredDeadLetter } from "./redrive.ts";
export { RemedyError, withRemedies } from "./remedy.ts";
export { commandRights, hostRights } from "./rights.ts";
export { createDriver, type DrivenRecord, type Driver } from "./driver.ts";
export { readSource, SOURCE_HEADER, sourceHeader, type NoticeSource } from "./source-header.ts";
export { startProgram, type HostOptions, type PartitionReport, type RunningProgram } from "./host.ts";
export { defaultSettings, type HostSettings } from "./settings.ts";
export { SupervisedConsumer, type ConsumerHandlers, type ConsumerOptions, type FetchedBatch } from "./consumer.ts";
export { kafkaSettings } from "./kafka-environment.ts";
export { runProgram, type ProgramService } from "./run-program.ts";
export { partitionsOf } from "./partitions.ts";
