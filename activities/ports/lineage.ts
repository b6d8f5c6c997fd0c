import type { Candidate, ServingSpec } from '../../domain/experiments/experiment.ts';
import type { Json } from '../../domain/json.ts';
import type { Decision, DecisionOutcome, GateStatus, Verdict } from '../../domain/verdicts/verdict.ts';
import type { AdapterLineage } from './adapter-lineage.ts';
import type { DatasetLineage } from './dataset-lineage.ts';
import type { DeploymentLineage } from './deployment-lineage.ts';
import type { EvaluationLineage, ExperimentLineage } from './experiment-lineage.ts';
import type { FeedbackLineage } from './feedback.ts';
import type { JudgementLineage } from './judgement-lineage.ts';
import type { PolicyLineage } from './policy-lineage.ts';
import type { RecordLineage } from './record-lineage.ts';
import type { RouteLineage } from './route-lineage.ts';
import type { RunLineage } from './run-lineage.ts';
import type { SafetyLineage } from './safety-lineage.ts';
import type { SweepLineage } from './sweep-lineage.ts';

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
  readonly safety: SafetyLineage;
  readonly decisions: DecisionLineage;
  readonly records: RecordLineage;
  readonly routes: RouteLineage;
  readonly feedback: FeedbackLineage;
  readonly policies: PolicyLineage;
  readonly sweeps: SweepLineage;
  readonly deployments: DeploymentLineage;
  readonly audit: AuditLog;
}

export interface DecisionLineage {
  recordVerdict(runId: string, verdict: Verdict, digest: string, serving: ServingSpec | null): Promise<void>;
  getVerdict(runId: string): Promise<{ verdict: Verdict; digest: string; serving: ServingSpec | null }>;
  /** Every winner that may still get traffic: its gate waits, or was approved and its route has not moved. */
  promotable(): Promise<readonly Promotable[]>;
  /** The person's decision on the run; null before it. */
  getDecision(runId: string): Promise<{ outcome: DecisionOutcome; digest: string } | null>;
  openGate(gate: { runId: string; workloadId: string; digest: string; expiresAt: string }): Promise<void>;
  /** Stores the decision and the gate's new status in one transaction. */
  recordDecision(runId: string, decision: Decision, status: GateStatus): Promise<void>;
  closeGate(runId: string, status: GateStatus): Promise<void>;
}

export interface Promotable {
  readonly runId: string;
  readonly workload: string;
  readonly serving: ServingSpec;
  readonly gate: 'pending' | 'approved';
  /** RFC 3339; null while it waits. */
  readonly decidedAt: string | null;
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
