import type { Judgement, JudgeSettings, JudgeSummary } from '../../domain/judging/judge.ts';

/** What a judge thought of an evaluation's answers. Part of the lineage; suite: `lineage.contract.ts`. */
export interface JudgementLineage {
  /** Judgements of the evaluation by this judge, by item. */
  of(evaluationId: string, judgeId: string): Promise<ReadonlyMap<string, Judgement>>;
  /** The first judgement of an item by a judge stays. */
  store(judged: {
    evaluationId: string;
    itemId: string;
    judgeId: string;
    judge: JudgeSettings;
    judgement: Judgement;
  }): Promise<void>;
  /** Writes the summary beside the evaluation's own. */
  close(evaluationId: string, summary: JudgeSummary): Promise<void>;
}
