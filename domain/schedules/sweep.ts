import type { Cadence } from './cadence.ts';

export const sweepOutcomes = ['started', 'queued', 'skipped', 'failed'] as const;
/** `started`: a run began. `queued`: one was open, and the next was asked for. */
export type SweepOutcome = (typeof sweepOutcomes)[number];

/** What a sweep found out about one workload, and did. */
export interface SweepReport {
  readonly workloadId: string;
  readonly outcome: SweepOutcome;
  /** In words, with the numbers. */
  readonly reason: string;
  readonly newRecords: number | null;
  /** The run that was started or asked for. */
  readonly runId: string | null;
}

/** A report as the lineage keeps it. */
export interface RecordedSweep extends SweepReport {
  /** Identity: the sweep's workflow run and the workload. */
  readonly id: string;
  readonly scheduleId: string | null;
  readonly cadence: Cadence;
  /** When the schedule wanted it. RFC 3339, UTC. */
  readonly scheduledAt: string;
}
