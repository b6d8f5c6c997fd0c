import type { SplitName } from '../../domain/datasets/dataset.ts';
import type { Strategy } from '../../domain/experiments/experiment.ts';

/** From a record to everything that it touched. Part of the lineage; suite: `lineage.contract.ts`. */
export interface RecordLineage {
  /** Empty lists for a record that no dataset holds: it was never read, or curation left it out. */
  trace(recordId: string): Promise<RecordTrace>;
}

export interface RecordTrace {
  readonly recordId: string;
  /** Oldest first, as all of these. */
  readonly datasets: readonly {
    readonly datasetId: string;
    readonly workload: string;
    readonly runId: string;
    readonly split: SplitName;
    readonly at: string;
  }[];
  /** Models that learned from it: it is in the train or validation split that their job was given. */
  readonly adapters: readonly {
    readonly model: string;
    readonly runId: string;
    readonly split: SplitName;
    readonly at: string;
  }[];
  /** Experiments that were asked it. */
  readonly evaluations: readonly {
    readonly runId: string;
    readonly candidate: string;
    readonly strategy: Strategy;
    readonly evaluationId: string;
    readonly failure: string | null;
    readonly scores: Readonly<Record<string, number>>;
  }[];
  /** Every move that gave a workload's traffic to one of the adapters. */
  readonly moves: readonly {
    readonly workload: string;
    readonly version: number;
    readonly model: string;
    readonly at: string;
    /** Whether it serves now. */
    readonly current: boolean;
  }[];
}
