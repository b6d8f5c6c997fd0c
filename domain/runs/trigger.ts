import type { SnapshotKind } from '../datasets/dataset.ts';
import type { Strategy } from '../experiments/experiment.ts';

/** Asks for a run of the workload. Several in one open run make one more run. */
export interface RunTrigger {
  /** Proposed by the caller, made once: `run-<UTC time>-<random>`. */
  readonly runId: string;
  readonly reason: string;
  readonly requestedBy: string;
  /** Names from candidates.yaml; all of them when absent. */
  readonly candidates?: readonly string[];
  readonly strategies?: readonly Strategy[];
  /** Which records it reads. Default `deep`: all of the workload's. */
  readonly snapshotKind?: SnapshotKind;
  readonly evalSize?: number;
  readonly seed?: number;
}

export interface TriggerReceipt {
  /** The run that will serve the trigger: the proposed one, or the one already queued. */
  readonly runId: string;
  readonly state: 'started' | 'queued';
}
