import type { Example } from '../domain/datasets/dataset.ts';
import type { Judgement, JudgeSettings } from '../domain/judging/judge.ts';
import type { Target } from '../domain/records/chat.ts';

/** An answer that can be read, and what it is an answer to. */
export interface AnswerToJudge {
  readonly itemId: string;
  readonly example: Example;
  readonly answer: Target;
}

export interface Judging {
  readonly judge: JudgeSettings;
  readonly evaluationId: string;
  /** Absent in runs of before judges had jobs. */
  readonly runId?: string | undefined;
  readonly workloadId?: string | undefined;
  readonly signal: AbortSignal;
  /** Called with each judgement as it becomes known. */
  readonly store: (itemId: string, judgement: Judgement) => Promise<void>;
}

/**
 * Scores answers in [0, 1] by the rubric: one by one at a chat endpoint (`judgeByChat`), or all in a job of the
 * provider's evaluator (`judgeByJob`). A reply that keeps not to the form is a failed judgement, never a 0.
 *
 * Throws `RejectedError` where the judge cannot be asked at all, `UnavailableError` for an outage; what was stored
 * stays. Suite: `test/contracts/judge.contract.ts`.
 */
export type Judge = (judging: Judging, answers: readonly AnswerToJudge[]) => Promise<void>;
