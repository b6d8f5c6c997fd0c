import type { RecordedSweep } from '../../domain/schedules/sweep.ts';

/** What the sweeps found out and did, for whoever looks in the morning. */
export interface SweepLineage {
  /** Idempotent by `id`. */
  record(sweep: RecordedSweep): Promise<void>;
  /** Newest first. */
  list(filter: {
    workloadId?: string;
    scheduleId?: string;
    limit?: number;
  }): Promise<readonly (RecordedSweep & { readonly at: string })[]>;
}
