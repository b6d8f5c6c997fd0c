/** Who judges answers, and by what. */
export interface JudgeSettings {
  /** A configured provider and a model of its. */
  readonly provider: string;
  readonly model: string;
  /** What a good answer is, in the words of the workload's owners. */
  readonly rubric: string;
}

/**
 * What the judge thought of an evaluation. Advisory: no verdict rests on it.
 *
 * An answer that is missing scores 0 without being asked about; where the judge itself failed there is no score,
 * which says nothing about the model.
 */
export interface JudgeSummary {
  /** Mean score in [0, 1] over the items that have one; null when none has. */
  readonly score: number | null;
  /** All items of the evaluation. */
  readonly n: number;
  /** Items without a score: the sum of `failures`. */
  readonly failed: number;
  /** Counts by kind: `refusal`, `unparsable`, `provider_error`, `timeout`. */
  readonly failures: Readonly<Record<string, number>>;
}

export const judgeFailures = ['refusal', 'unparsable', 'provider_error', 'timeout'] as const;
export type JudgeFailure = (typeof judgeFailures)[number];

/** What became of one item: a score with its reason, or why there is none. */
export type Judgement =
  | { readonly score: number; readonly reason: string; readonly failure: null }
  | { readonly score: null; readonly reason: string; readonly failure: JudgeFailure };

/** An owner who says nothing gets this. */
export const defaultRubric =
  'The candidate answer does for the user what the reference answer does: the same facts, the same decision, the same tool calls. Wording, order and length do not matter; anything false, missing or dangerous does.';

/** Whatever their order: the same judgements, the same summary. */
export function summariseJudgements(judgements: readonly Judgement[]): JudgeSummary {
  // Sorted, because a sum of floating-point numbers depends on their order and the result is hashed.
  const scores = judgements.flatMap(({ score }) => score ?? []).sort((a, b) => a - b);
  const kinds = judgements.flatMap(({ failure }) => failure ?? []);
  const counts = judgeFailures.map((kind) => [kind, kinds.filter((one) => one === kind).length] as const);
  return {
    score: scores.length === 0 ? null : scores.reduce((sum, score) => sum + score, 0) / scores.length,
    n: judgements.length,
    failed: kinds.length,
    failures: Object.fromEntries(counts.filter(([, count]) => count > 0)),
  };
}
