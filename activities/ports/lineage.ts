import type {
  ArtifactRef,
  DatasetFiles,
  DatasetSummary,
  DroppedCounts,
  SnapshotKind,
  SplitName,
} from '../../domain/datasets/dataset.ts';
import type {
  Candidate,
  EvaluationSummary,
  ExperimentReport,
  ExperimentSpec,
  ExperimentStage,
  ExperimentStatus,
  ServingSpec,
  Strategy,
} from '../../domain/experiments/experiment.ts';
import type { SetAsideSummary } from '../../domain/experiments/set-aside.ts';
import type { Json, JsonObject } from '../../domain/json.ts';
import type { JudgeSummary } from '../../domain/judging/judge.ts';
import type { WorkloadPolicy } from '../../domain/policies/policy.ts';
import type { Provenance } from '../../domain/records/provenance.ts';
import type { Route } from '../../domain/routes/route.ts';
import type { Decision, DecisionOutcome, GateStatus, Verdict } from '../../domain/verdicts/verdict.ts';
import type { AdapterLineage } from './adapter-lineage.ts';
import type { DeploymentLineage } from './deployment-lineage.ts';
import type { FeedbackCounts, FeedbackLineage } from './feedback.ts';
import type { JudgementLineage } from './judgement-lineage.ts';
import type { PolicyLineage } from './policy-lineage.ts';
import type { RecordLineage } from './record-lineage.ts';
import type { SweepLineage } from './sweep-lineage.ts';
import type { TrainingProgress, TrainingStatus } from './trainer.ts';

/**
 * The lineage in PostgreSQL, one interface per concern. Every write is idempotent: made twice with the same
 * identity it leaves one row. Reads of something that does not exist throw `NotFoundError`, unless they say
 * null. Times are RFC 3339 in UTC and set by the database.
 */
export interface Lineage {
  readonly runs: RunLineage;
  readonly datasets: DatasetLineage;
  readonly experiments: ExperimentLineage;
  readonly adapters: AdapterLineage;
  readonly evaluations: EvaluationLineage;
  readonly judgements: JudgementLineage;
  readonly decisions: DecisionLineage;
  readonly records: RecordLineage;
  readonly routes: RouteLineage;
  readonly feedback: FeedbackLineage;
  readonly policies: PolicyLineage;
  readonly sweeps: SweepLineage;
  readonly deployments: DeploymentLineage;
  readonly audit: AuditLog;
}

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
  readonly latencyMs?: { readonly p50: number; readonly p95: number };
  readonly tokens?: { readonly prompt: number; readonly completion: number };
  readonly judge?: JudgeSummary;
  readonly training?: TrainingProgress & {
    readonly jobId: string;
    readonly status: TrainingStatus;
    /** Absent where the job was trained on every row. */
    readonly setAside?: SetAsideSummary;
  };
  readonly evaluated?: { readonly done: number; readonly total: number };
}

export interface NewSnapshot {
  readonly id: string;
  readonly runId: string;
  readonly workloadId: string;
  readonly bound: string;
  /** Default `deep`. */
  readonly kind?: SnapshotKind;
}

export interface NewDataset {
  readonly summary: DatasetSummary;
  readonly runId: string;
  readonly workloadId: string;
  readonly snapshotId: string;
  readonly seed: number;
  readonly files: DatasetFiles;
}

export interface DatasetLineage {
  /** Persists the bound before anything is read; a second call returns the first one's bound. */
  openSnapshot(
    snapshot: NewSnapshot,
  ): Promise<{ bound: string; artifact: ArtifactRef | null; records: number }>;
  commitSnapshot(id: string, artifact: ArtifactRef, records: number, facts: Provenance): Promise<void>;
  /** Those of the ids that an earlier incremental dataset of the workload was made of. */
  taken(workloadId: string, recordIds: readonly string[]): Promise<ReadonlySet<string>>;
  /**
   * The bound of the workload's last incremental snapshot that became a dataset, on the log store's clock:
   * what came in since is news. Null before the first.
   */
  watermark(workloadId: string): Promise<string | null>;
  /**
   * Stores the dataset and which record went to which split, in one transaction. An incremental snapshot's
   * dataset also takes `taken`, all ids of the snapshot, for good: a `ConflictError` when another has one of
   * them.
   */
  commit(
    dataset: NewDataset,
    membership:
      | AsyncIterable<{ recordId: string; split: SplitName }>
      | Iterable<{ recordId: string; split: SplitName }>,
    taken?: AsyncIterable<string> | Iterable<string>,
  ): Promise<void>;
  get(datasetId: string): Promise<NewDataset>;
}

export interface ExperimentLineage {
  open(runId: string, spec: ExperimentSpec): Promise<void>;
  setStage(experimentId: string, stage: ExperimentStage, status: ExperimentStatus): Promise<void>;
  close(report: ExperimentReport): Promise<void>;
  /** Marks every experiment of the run that has not ended. */
  cancelOpen(runId: string): Promise<void>;
  recordJob(job: {
    jobId: string;
    experimentId: string;
    provider: string;
    key: string;
    datasetId: string;
    status: TrainingStatus;
    hyperparameters: JsonObject;
    /** What the job was not trained on; absent for nothing. */
    setAside?: SetAsideSummary;
  }): Promise<void>;
  updateJob(
    jobId: string,
    status: TrainingStatus,
    progress: TrainingProgress | null,
    error?: string,
  ): Promise<void>;
  recordAdapter(adapter: {
    model: string;
    provider: string;
    baseModel: string;
    jobId: string;
    experimentId: string;
    datasetId: string;
  }): Promise<void>;
  /** The base model of an adapter that was recorded; null for any other model. */
  baseModelOf(provider: string, model: string): Promise<string | null>;
}

/** One asked item: stored once, never asked for again. */
export interface EvaluationItem {
  readonly itemId: string;
  readonly recordId: string;
  /** The answer verbatim, or null when there was none. */
  readonly response: Json;
  /** Kind of failure, or null for an answer that could be scored. */
  readonly failure: string | null;
  readonly failureDetail: string | null;
  /** Per-item scores by metric, each in [0, 1]. */
  readonly scores: Readonly<Record<string, number>>;
  readonly latencyMs: number | null;
  readonly promptTokens: number | null;
  readonly completionTokens: number | null;
}

export interface EvaluationLineage {
  /** Opens or finds the evaluation; `evaluationId` is derived from the experiment and what is asked. */
  open(evaluation: {
    evaluationId: string;
    experimentId: string;
    datasetId: string;
    serving: ServingSpec;
    total: number;
  }): Promise<void>;
  storedItemIds(evaluationId: string): Promise<ReadonlySet<string>>;
  storeItems(evaluationId: string, items: readonly EvaluationItem[]): Promise<void>;
  items(evaluationId: string): Promise<readonly EvaluationItem[]>;
  close(summary: EvaluationSummary): Promise<void>;
}

export interface DecisionLineage {
  recordVerdict(runId: string, verdict: Verdict, digest: string, serving: ServingSpec | null): Promise<void>;
  getVerdict(runId: string): Promise<{ verdict: Verdict; digest: string; serving: ServingSpec | null }>;
  /** The person's decision on the run; null before it. */
  getDecision(runId: string): Promise<{ outcome: DecisionOutcome; digest: string } | null>;
  openGate(gate: { runId: string; workloadId: string; digest: string; expiresAt: string }): Promise<void>;
  /** Stores the decision and the gate's new status in one transaction. */
  recordDecision(runId: string, decision: Decision, status: GateStatus): Promise<void>;
  closeGate(runId: string, status: GateStatus): Promise<void>;
}

export interface RouteLineage {
  get(workloadId: string): Promise<Route | null>;
  all(): Promise<readonly Route[]>;
  /**
   * Moves the route. Idempotent by `moveId`: a second call returns the route that the first made.
   * `previous` becomes what was served before; for a `restore`, what stood behind the route before the move
   * that it undoes. Without a `runId`, digest and run are those of the promotion that served the same before.
   * With `expectedVersion` a route that moved meanwhile is a `ConflictError`.
   */
  move(move: {
    moveId: string;
    workloadId: string;
    serving: ServingSpec | null;
    digest: string | null;
    runId: string | null;
    kind: 'promotion' | 'rollback' | 'restore';
    actor: string;
    reason: string;
    expectedVersion?: number;
  }): Promise<Route>;
  /** The route that a move made, or null. */
  findMove(moveId: string): Promise<Route | null>;
  /** From the route back to each record: route ← approval ← verdict ← experiment ← job ← dataset ← records. */
  trace(workloadId: string): Promise<LineageTrace>;
}

export interface LineageTrace {
  readonly workload: string;
  readonly route: {
    readonly version: number;
    readonly model: string;
    readonly since: string;
    readonly digest: string | null;
  } | null;
  readonly approval: {
    readonly actor: string;
    readonly reason: string;
    readonly at: string;
    readonly override: boolean;
  } | null;
  readonly run: {
    readonly runId: string;
    readonly startedAt: string;
    readonly verdict: string | null;
  } | null;
  readonly experiment: {
    readonly candidate: string;
    readonly strategy: Strategy;
    readonly evaluationId: string | null;
  } | null;
  readonly adapter: {
    readonly model: string;
    readonly baseModel: string;
    readonly jobId: string;
    readonly key: string;
  } | null;
  readonly dataset: {
    readonly id: string;
    readonly hash: string;
    readonly manifest: string;
    readonly snapshotId: string;
    /** Records that it left out, by reason; the manifest lists them. */
    readonly dropped: DroppedCounts;
  } | null;
  readonly records: Readonly<Record<SplitName, readonly string[]>>;
  /** How much feedback of each kind there is on those records, once there is any. */
  readonly feedback?: FeedbackCounts;
}

export interface AuditLog {
  /** The entry with this id, or null. */
  find(id: string): Promise<{
    readonly id: string;
    readonly actor: string;
    readonly actorSource: string;
    readonly action: string;
    readonly runId: string | null;
    readonly detail: Json;
  } | null>;
  /** Idempotent by `id`. */
  append(entry: {
    id: string;
    actor: string;
    actorSource: string;
    action: string;
    workloadId: string;
    runId: string | null;
    detail: Json;
  }): Promise<void>;
  list(
    workloadId: string,
    limit?: number,
  ): Promise<
    readonly {
      at: string;
      actor: string;
      actorSource: string;
      action: string;
      runId: string | null;
      detail: Json;
    }[]
  >;
}

/** Candidates as configured, for lineage and for planning. */
export interface CandidateCatalog {
  all(): readonly Candidate[];
}
