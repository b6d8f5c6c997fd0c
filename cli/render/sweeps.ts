import type { SweepReport } from '../../domain/schedules/sweep.ts';
import { moment } from './format.ts';
import { table } from './table.ts';

type Line = SweepReport & { readonly at: string; readonly scheduleId: string | null };

/** What sweeps did, one line per workload. */
export function sweepLines(sweeps: readonly Line[]): string {
  return table(
    ['at', 'schedule', 'workload', 'did', 'why'],
    sweeps.map(({ at, scheduleId, workloadId, outcome, reason, runId }) => [
      moment(at),
      scheduleId ?? '–',
      workloadId,
      runId === null ? outcome : `${outcome} ${runId}`,
      reason,
    ]),
  );
}
