import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { PinnedGuardrails } from '../activities/pin-guardrails.ts';
import type { ExperimentReport, ExperimentSpec } from '../domain/experiments/experiment.ts';
import type { JudgeSettings } from '../domain/judging/judge.ts';
import type { RouteMove } from '../domain/routes/move.ts';
import type { CommandFlags } from '../domain/runs/command-flags.ts';
import type { RunTrigger, TriggerReceipt } from '../domain/runs/trigger.ts';
import type { Cadence } from '../domain/schedules/cadence.ts';
import type { SweepReport } from '../domain/schedules/sweep.ts';
import type {
  Decision,
  DecisionOutcome,
  GateStatus,
  Verdict,
  VerdictOutcome,
} from '../domain/verdicts/verdict.ts';

/** What a schedule asks for: to look whether there is enough news, and to trigger the runs that it calls for. */
export interface SweepInput {
  readonly cadence: Cadence;
  readonly scheduleId: string;
  /** Absent: every workload that has no schedule of this cadence for itself. */
  readonly workloadId?: string;
  /** New records that start a run; for cadence `volume`. */
  readonly volume?: number;
  /** `policy`: the schedule is there because `workloads.yaml` asks for it. Absent: a person set its times. */
  readonly source?: 'policy';
}

export interface SweepResult {
  readonly reports: readonly SweepReport[];
}

export interface FlywheelInput {
  readonly workloadId: string;
  /** Carried over by continue-as-new; a fresh start gets its trigger by `triggerUpdate`. */
  readonly pending?: RunTrigger;
}

export interface FlywheelResult {
  readonly runId: string;
  readonly outcome: VerdictOutcome;
  readonly winner?: string;
  readonly digest: string;
  /** The gate that waits for a person; absent when nothing could be promoted. */
  readonly gateWorkflowId?: string;
}

/** Send it with start: it reaches the workload's open run, or begins one. */
export const triggerUpdate = defineUpdate<TriggerReceipt, [RunTrigger]>('trigger');
/** Takes a queued run back. A run that has begun is stopped by cancelling the workflow. */
export const withdrawSignal = defineSignal<[{ readonly runId: string }]>('withdraw');
/** Which run this workflow is working on and which one waits; tells what a cancellation would hit. */
export const turnQuery = defineQuery<{ running: string | null; queued: string | null }>('turn');

export interface ExperimentInput {
  readonly runId: string;
  readonly workloadId: string;
  readonly datasetId: string;
  readonly seed: number;
  readonly spec: ExperimentSpec;
  /** Scores the answers once they are there; absent where the workload has none. */
  readonly judge?: JudgeSettings;
  /** What the answers to the safety set are held against; absent where the workload has none. */
  readonly guardrails?: PinnedGuardrails;
}

export interface GateInput {
  readonly runId: string;
  readonly workloadId: string;
  readonly digest: string;
  readonly verdict: Verdict;
  readonly leaderboard: readonly ExperimentReport[];
  /** What the numbers rest on, shown with them. */
  readonly remark?: string;
  readonly requestedBy: string;
  /** RFC 3339, UTC. After it the answer is no. */
  readonly expiresAt: string;
  readonly remindEveryMs: number;
  /** For the commands that the Web UI shows. */
  readonly flags?: CommandFlags;
  /** Who may decide, by the policy that the run pinned; absent for anyone. */
  readonly approvers?: readonly string[];
}

export interface GateResult {
  readonly runId: string;
  readonly status: GateStatus;
  readonly decision?: Decision;
  /** Present once approved. */
  readonly rollout?: StartedRollout;
}

/** A decision by update. The update's id is its idempotency id. */
export interface DecideInput {
  readonly outcome: DecisionOutcome;
  /** Who; a claim, for whoever reaches Temporal can write any name here. */
  readonly actor: string;
  readonly reason: string;
  readonly digest: string;
  readonly override?: boolean;
}

export interface DecideResult {
  readonly status: GateStatus;
  readonly runId: string;
  /** The workflow that moves the route. Absent while another move is in its way: the gate's result has it. */
  readonly rollout?: StartedRollout;
}

/** One execution of the route's rollout workflow: its id alone would also name the moves before and after. */
export interface StartedRollout {
  readonly workflowId: string;
  readonly executionId: string;
}

export const decideUpdate = defineUpdate<DecideResult, [DecideInput]>('decide');

/** The plain Temporal CLI's and UI's way to decide. */
export interface SignalledDecision {
  readonly digest: string;
  readonly actor: string;
  readonly reason?: string;
  readonly override?: boolean;
}

export const approveSignal = defineSignal<[SignalledDecision]>('approve');
export const rejectSignal = defineSignal<[SignalledDecision]>('reject');
/** A newer verdict of the same workload is out: the gate closes without a decision. */
export const supersedeSignal = defineSignal<[{ readonly byRunId: string }]>('supersede');

export const gateQuery = defineQuery<{ status: GateStatus; digest: string; expiresAt: string }>('gate');

export interface RolloutInput extends RouteMove {
  /** How long the gateway may take to show the new route. Default 60 s: routes are re-read within seconds, a cold model may load for tens. */
  readonly proofTimeoutMs?: number;
  /** For the commands that the Web UI shows. */
  readonly flags?: CommandFlags;
}

/** What a move of the route leaves behind. */
export interface RetirementInput {
  readonly workloadId: string;
  /** How long what the route has left stays deployed, from now. */
  readonly keptForMs: number;
  /** The release itself failed, and is made up for. */
  readonly unreleased?: boolean;
}

export interface RetirementResult {
  readonly workloadId: string;
  /** Models that were taken off. */
  readonly removed: readonly string[];
}

export interface RolloutResult {
  readonly workloadId: string;
  readonly version: number;
  /** What serves now; null for the original. */
  readonly model: string | null;
  /** `unproven`: a rollback that stands, though the gateway has not shown it. */
  readonly outcome: 'moved' | 'restored' | 'unproven';
  readonly reason?: string;
}
