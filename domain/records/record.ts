import type { JsonObject } from '../json.ts';

/**
 * Who or what gave the answer of a record.
 *
 * - `production`: the model that the application used before Flywheel moved anything (the `original`).
 * - `gold`: a label that people made; no model answered.
 * - `flywheel`: a model that Flywheel promoted. Never a training target (design, section 6).
 */
export type ResponseSource = 'production' | 'gold' | 'flywheel';

/** One logged call: OpenAI chat-completion payloads, verbatim, and where they came from. */
export interface LogRecord {
  /** Given by the caller, else `rec_` and a hash of the canonical record with its timestamp. */
  readonly id: string;
  /** RFC 3339, UTC, milliseconds. */
  readonly timestamp: string;
  readonly workloadId: string;
  readonly clientId: string;
  readonly conversationId?: string;
  /** The chat-completion request, as sent. */
  readonly request: JsonObject;
  /** The chat-completion response, as received. */
  readonly response: JsonObject;
  /** The model that answered, by its own name in the response. */
  readonly model?: string;
  readonly responseSource: ResponseSource;
  readonly latencyMs?: number;
  /** Unknown top-level fields, kept as they came. */
  readonly extra: JsonObject;
}

/** A record as the log store holds it. `ingestedAt` is the store's own clock, RFC 3339 in UTC. */
export interface StoredRecord extends LogRecord {
  readonly ingestedAt: string;
}

/** A line that could not be read as a record: set aside and counted, never silently dropped. */
export interface RejectedLine {
  /** 1-based line (or row) number in the source. */
  readonly line: number;
  /** A short stable code, such as `invalid_json`; the key under which rejections are counted. */
  readonly reason: string;
  /** What was found and what was needed. */
  readonly detail: string;
}
