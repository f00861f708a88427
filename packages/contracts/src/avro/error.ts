/**
 * Bytes that are not what their schema says, or a value that its schema cannot hold. The message begins with the path of
 * the field. Encoders throw it; decoders of this package catch it and answer with its message.
 */
export class AvroError extends Error {
  override readonly name = "AvroError";
  readonly field: string;

  constructor(field: string, message: string) {
    super(`${field}: ${message}`);
    this.field = field;
  }
}
