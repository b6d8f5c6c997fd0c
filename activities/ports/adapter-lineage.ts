import type { Strategy } from '../../domain/experiments/experiment.ts';
import type { SetAsideSummary } from '../../domain/experiments/set-aside.ts';

/** Where adapters come from. Part of the lineage; suite: `lineage.contract.ts`. */
export interface AdapterLineage {
  /** The adapters of that id, newest first: one, unless several providers have named theirs alike. */
  find(model: string): Promise<readonly AdapterOrigin[]>;
  /** Ids of every adapter that was ever trained, at whatever provider. */
  models(): Promise<readonly string[]>;
}

export interface AdapterOrigin {
  readonly model: string;
  /** Who serves it. */
  readonly provider: string;
  readonly baseModel: string;
  readonly createdAt: string;
  readonly runId: string;
  readonly experimentId: string;
  readonly candidate: string;
  readonly strategy: Strategy;
  readonly job: {
    readonly id: string;
    /** Who trained it, and so has its files. */
    readonly provider: string;
    /** Its idempotency key. */
    readonly key: string;
    /** As they were asked for, in Flywheel's names. */
    readonly hyperparameters: Readonly<Record<string, unknown>>;
    /** Records that it was not trained on; null for none. */
    readonly setAside: SetAsideSummary | null;
  };
  readonly dataset: {
    readonly id: string;
    readonly hash: string;
    readonly seed: number;
    readonly snapshotId: string;
  };
  /** The newest evaluation that ended; null when it was never measured. */
  readonly evaluationId: string | null;
}
