import type { JsonObject } from '../../domain/json.ts';

/** One item as it is asked. */
export interface EvaluationRow {
  readonly itemId: string;
  /** The whole chat-completion body but for `model`: messages with few-shot text, tools, `max_tokens`. */
  readonly body: JsonObject;
  /** The answer it is scored against: an assistant message in OpenAI's form. */
  readonly target: JsonObject;
}

export interface EvaluationJobRequest {
  /** Idempotency key: starts with the runId. */
  readonly key: string;
  readonly model: string;
  readonly rows: readonly EvaluationRow[];
  readonly metadata: Readonly<Record<string, string>>;
}

export interface EvaluationJob {
  readonly id: string;
  readonly status: 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled';
  readonly error: string | null;
  /** True when the evaluator lost it (it was restarted); false when repeating is pointless. */
  readonly errorRetryable: boolean;
}

/** What an evaluator says of one row. A row that it lost is missing here and counted as failed by the caller. */
export interface EvaluatedRow {
  readonly itemId: string;
  /** The chat completion, verbatim; null when there was none. */
  readonly response: JsonObject | null;
  /** Why there is no answer, in the evaluator's words; null when there is one. */
  readonly error: string | null;
  /** The evaluator's own metrics; null for NaN. */
  readonly metrics: Readonly<Record<string, number | null>>;
}

/** Asks and scores a dataset in a job of its own. Suite: `test/contracts/evaluator.contract.ts`. */
export interface Evaluator {
  /** Every job that was started under this key, the one that counts first; mostly one or none. */
  findAll(key: string): Promise<readonly EvaluationJob[]>;
  /** Starts a job, or returns the one already started under the key. */
  launch(request: EvaluationJobRequest): Promise<EvaluationJob>;
  get(jobId: string): Promise<EvaluationJob>;
  /** Rows of a job that succeeded, in any order. */
  results(jobId: string): AsyncIterable<EvaluatedRow>;
  /** Asks for cancellation; harmless on an ended job. */
  cancel(jobId: string): Promise<void>;
}

/** Evaluators by provider name; null where Flywheel's own evaluator asks the provider's chat endpoint. */
export type Evaluators = (provider: string) => Evaluator | null;
