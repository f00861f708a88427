/** Every way in which the stack can fail to start or to go on; `retryable` says whether the same call may succeed later without a change. */
const retryableByCode = {
  port_taken: false,
  java_missing: false,
  maven_missing: false,
  download_failed: true,
  child_crashed: true,
  not_ready: true,
  unreachable: true,
  already_running: false,
  root_refused: false,
  unsupported_platform: false,
  docker_failed: true,
  partitions_differ: false,
} as const;

export type StackErrorCode = keyof typeof retryableByCode;

/** A failure of the local stack; the message is one sentence that says what to do. */
export class StackError extends Error {
  readonly code: StackErrorCode;
  readonly retryable: boolean;

  constructor(code: StackErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "StackError";
    this.code = code;
    this.retryable = retryableByCode[code];
  }
}
