import type { DatasetSummary, SnapshotKind } from '../../domain/datasets/dataset.ts';
import type {
  EvaluationSummary,
  ExperimentStage,
  ExperimentStatus,
  Strategy,
} from '../../domain/experiments/experiment.ts';
import type { SetAsideSummary } from '../../domain/experiments/set-aside.ts';
import type { SafetyReport } from '../../domain/guardrails/safety.ts';
import type { Json } from '../../domain/json.ts';
import type { JudgeSummary } from '../../domain/judging/judge.ts';
import type { WorkloadPolicy } from '../../domain/policies/policy.ts';
import type { GateStatus } from '../../domain/verdicts/verdict.ts';
import type { FeedbackCounts } from './feedback.ts';
import type { TrainingProgress, TrainingStatus } from './trainer.ts';

export const runStages = ['planning', 'snapshot', 'curation', 'experiments', 'verdict', 'done'] as const;

export type RunStage = (typeof runStages)[number];

export type RunStatus = 'running' | 'completed' | 'failed' | 'cancelled';

export interface NewRun {
  readonly runId: string;
  readonly workflowId: string;
  readonly workloadId: string;
  readonly reason: string;
  readonly requestedBy: string;
  /** Everything that shapes the run, pinned: candidates, seed, sizes, policy. */
  readonly plan: Json;
  /** Recorded before; absent where a run failed before it had one. */
  readonly policyVersion?: string;
}

export interface RunLineage {
  /** Opens the run, or finds it open. Returns the plan that it has: the first one. */
  open(run: NewRun): Promise<Json>;
  setStage(runId: string, stage: RunStage): Promise<void>;
  close(runId: string, status: Exclude<RunStatus, 'running'>, failure?: string): Promise<void>;
  /** The run whose gate still waits for this workload, newest first. */
  openGates(workloadId: string): Promise<readonly { runId: string; digest: string }[]>;
  view(runId: string): Promise<RunView>;
  /** Every run that has not ended, as far as the lineage knows. Oldest first. */
  running(): Promise<readonly { readonly runId: string; readonly workload: string }[]>;
  /** Those of the ids that are runs of this lineage. */
  known(runIds: readonly string[]): Promise<readonly string[]>;
  /** Newest first. */
  list(workloadId?: string, limit?: number): Promise<readonly RunListItem[]>;
  latest(workloadId: string): Promise<string | null>;
}

export interface RunListItem {
  readonly runId: string;
  readonly workload: string;
  readonly status: RunStatus;
  readonly stage: RunStage;
  readonly verdict: string | null;
  readonly gate: GateStatus | null;
  readonly startedAt: string;
  readonly endedAt: string | null;
}

/** What `show` prints and `watch` follows. The fields up to `route` are a public, fixed shape. */
export interface RunView {
  readonly runId: string;
  readonly workflowId: string;
  readonly workload: string;
  readonly snapshot: { readonly id: string; readonly records: number; readonly kind: SnapshotKind } | null;
  readonly dataset: DatasetSummary | null;
  /** How much feedback of each kind there is on the dataset's records, once there is any. */
  readonly feedback?: FeedbackCounts;
  readonly experiments: readonly ExperimentView[];
  readonly verdict: { readonly outcome: string; readonly winner?: string; readonly reason: string } | null;
  readonly digest: string | null;
  readonly approval?: {
    readonly status: GateStatus;
    readonly outcome?: string;
    readonly actor?: string;
    readonly actorSource?: string;
    readonly reason?: string;
    readonly override?: boolean;
    readonly at?: string;
  };
  readonly route?: {
    readonly version: number;
    readonly model: string;
    readonly since: string;
    readonly live: boolean;
  };
  readonly status: RunStatus;
  readonly stage: RunStage;
  readonly failure?: string;
  readonly reason: string;
  readonly requestedBy: string;
  readonly startedAt: string;
  readonly endedAt: string | null;
  /** Shares of the run's records by `responseSource`, e.g. `{gold: 3450}`; said wherever results are shown. */
  readonly responseSources: Readonly<Record<string, number>>;
  /** True when any record says it is synthetic. */
  readonly synthetic: boolean;
  /** True when any record’s tools were inferred from calls, since its source did not hold them. */
  readonly toolsInferred: boolean;
  readonly threshold: number | null;
  /** What the verdict rests on; null until there is one. */
  readonly primaryMetric: string | null;
  /** What the workload's owners asked for when the run began. */
  readonly policy: (WorkloadPolicy & { readonly version: string }) | null;
}

export interface ExperimentView {
  readonly candidate: string;
  readonly strategy: Strategy;
  readonly role: 'challenger' | 'champion';
  readonly status: ExperimentStatus;
  readonly stage: ExperimentStage;
  readonly n: number;
  readonly failed: number;
  readonly failures: Readonly<Record<string, number>>;
  /** Primary metric first. */
  readonly metrics: Readonly<Record<string, number>>;
  readonly trainSeconds?: number;
  readonly model: string | null;
  readonly failure?: string;
  readonly latencyMs?: NonNullable<EvaluationSummary['latencyMs']>;
  readonly tokens?: { readonly prompt: number; readonly completion: number };
  readonly judge?: JudgeSummary;
  readonly training?: TrainingProgress & {
    readonly jobId: string;
    readonly status: TrainingStatus;
    /** Absent where the job was trained on every row. */
    readonly setAside?: SetAsideSummary;
  };
  readonly evaluated?: { readonly done: number; readonly total: number };
  /** Absent where the workload has no guardrails. */
  readonly safety?: SafetyReport;
  /** How far the check of its answers against them is. */
  readonly checked?: { readonly done: number; readonly total: number };
}
