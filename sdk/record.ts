import type { JsonObject } from '../domain/json.ts';

/** One chat completion, as `POST /v1/records` takes it: OpenAI's payloads verbatim, and where they came from. */
export interface FlywheelRecord {
  /** Random, and made once: whoever gets the record twice keeps one. */
  readonly id: string;
  /** When the call began. RFC 3339, UTC. */
  readonly timestamp: string;
  readonly workload_id: string;
  readonly client_id: string;
  readonly conversation_id?: string;
  readonly request: JsonObject;
  /** A streamed one is put together to the completion that it amounts to; `usage` is in it if the model told. */
  readonly response: JsonObject;
  /** From the request to the last byte of the answer. */
  readonly latency_ms: number;
  /** To the first byte of a streamed answer. */
  readonly first_byte_ms?: number;
  /** Further fields of the application's own. */
  readonly [field: string]: JsonObject[string] | undefined;
}

/** What became of a batch. Without one all of it counts as stored. */
export interface InsertResult {
  readonly stored: number;
  readonly duplicates: number;
  /** Refused for good, by reason. */
  readonly rejected: Readonly<Record<string, number>>;
}

/**
 * Where records go. `insert` may get a record twice, and rejects where it could not store all of them: they are
 * sent again later, unless the error says `retryable: false`; not before its `retryAfterMs`, where it has one.
 */
export interface RecordStore {
  insert(records: readonly FlywheelRecord[]): Promise<InsertResult | void>;
  /** Feedback as `POST /v1/feedback` takes it. A store without it loses feedback, and the loss is counted. */
  insertFeedback?(feedback: readonly JsonObject[]): Promise<InsertResult | void>;
}

/** A store's refusal or trouble, in the words that the queue understands. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly retryable: boolean;
  readonly retryAfterMs: number | null;
  /** Smaller batches may pass. */
  readonly tooLarge: boolean;

  constructor(
    message: string,
    options: ErrorOptions & { retryable?: boolean; retryAfterMs?: number | null; tooLarge?: boolean } = {},
  ) {
    super(message, options);
    this.retryable = options.retryable ?? true;
    this.retryAfterMs = options.retryAfterMs ?? null;
    this.tooLarge = options.tooLarge ?? false;
  }
}
