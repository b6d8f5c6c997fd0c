import type { JsonObject } from '../../domain/json.ts';
import type { EvaluationJob } from './evaluator.ts';

export interface JudgingRequest {
  /** Idempotency key: starts with the runId. */
  readonly key: string;
  /** The judge, a model of the provider. */
  readonly model: string;
  readonly answers: readonly {
    readonly itemId: string;
    /** What the judge is asked: the whole chat-completion body but for `model`. */
    readonly body: JsonObject;
  }[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** What became of one answer. One that the evaluator lost is missing. */
export interface JudgedAnswer {
  readonly itemId: string;
  /** The judge's chat completion, verbatim; null where it gave none, or the evaluator does not show it. */
  readonly reply: JsonObject | null;
  /** As the evaluator read it from the reply, in its own range; null for NaN. */
  readonly score: number | null;
}

/** Has an evaluator's LLM judge score stored answers, in a job of its own. Suite: `test/contracts/judge.contract.ts`. */
export interface JudgeJobs {
  /** Every job that was started under this key, the one that counts first; mostly one or none. */
  findAll(key: string): Promise<readonly EvaluationJob[]>;
  /** Starts a job, or returns the one already started under the key. */
  launch(request: JudgingRequest): Promise<EvaluationJob>;
  get(jobId: string): Promise<EvaluationJob>;
  /** Answers of a job that succeeded, in any order. */
  results(jobId: string): AsyncIterable<JudgedAnswer>;
  /** Asks for cancellation; harmless on an ended job. */
  cancel(jobId: string): Promise<void>;
}

/** By provider name; null where Flywheel asks the judge itself, at the provider's chat endpoint. */
export type JudgeServices = (provider: string) => JudgeJobs | null;
