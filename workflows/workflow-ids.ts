import type { Strategy } from '../domain/experiments/experiment.ts';
import type { Cadence } from '../domain/schedules/cadence.ts';

export function flywheelId(workloadId: string): string {
  return `flywheel:${workloadId}`;
}

export function experimentWorkflowId(
  workloadId: string,
  runId: string,
  candidate: string,
  strategy: Strategy | 'champion',
): string {
  return `${flywheelId(workloadId)}/${runId}/${candidate}/${strategy}`;
}

export function gateId(runId: string): string {
  return `gate:${runId}`;
}

/** The id is the served route, so that two moves of one route can never overlap. */
export function rolloutId(workloadId: string): string {
  return `rollout:${workloadId}`;
}

/** What a move leaves behind: one, however often the move is repeated. */
export function retirementId(moveId: string): string {
  return `retirement:${moveId}`;
}

/** One run is promoted once, however often its approval is delivered. */
export function promotionMoveId(runId: string): string {
  return `promotion:${runId}`;
}

/** `daily:hr`; `daily` alone for all workloads that have none for themselves. */
export function scheduleId(cadence: Cadence, workloadId: string | null): string {
  return workloadId === null ? cadence : `${cadence}:${workloadId}`;
}

/** What a schedule starts; Temporal adds the time that it was wanted for. */
export function sweepId(schedule: string): string {
  return `sweep:${schedule}`;
}
