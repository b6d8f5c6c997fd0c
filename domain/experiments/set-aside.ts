import type { ArtifactRef } from '../datasets/dataset.ts';

/**
 * Most of the train split that a training may do without, its rows being too long for the candidate or beyond
 * its chat template. Splits are drawn alike: where most rows of training do not fit, most questions do not
 * either, each counts as failed, and the candidate could not win whatever it learned from the short ones.
 */
export const maxSetAsideShare = 0.5;

/** What a job was not trained on. Rows are whole records: nothing is ever cut. */
export interface SetAsideSummary {
  readonly train: number;
  readonly validation: number;
  /** Counts by the trainer's code, such as `row_too_long`. */
  readonly reasons: Readonly<Record<string, number>>;
  /** JSONL: `{recordId, split, reason, detail}`. */
  readonly list: ArtifactRef;
}
