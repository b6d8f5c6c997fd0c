import {
  ApplicationFailure,
  isCancellation,
  setCurrentDetails,
  uuid4,
  workflowInfo,
} from '@temporalio/workflow';
import { newRunId } from '../domain/ids.ts';
import type { SweepReport } from '../domain/schedules/sweep.ts';
import { lineage, sweeping } from './activity-options.ts';
import { sweepDetails } from './current-details.ts';
import { reasonOf } from './failure-reason.ts';
import type { SweepInput, SweepResult } from './messages.ts';
import { scheduledTimeAttribute } from './search-attributes.ts';

/**
 * What the schedules start, and the only thing. For each of its workloads, one after the other:
 *
 *     count the news → enough? → ask the flywheel for a run → say so in the lineage
 *
 * It waits for no run. What goes wrong with one workload is told, and keeps no other from its turn.
 */
export async function sweep(input: SweepInput): Promise<SweepResult> {
  const { cadence, workloadId } = input;
  const workloadIds = workloadId
    ? [workloadId]
    : (
        await sweeping.findWorkloads.executeWithOptions(
          { summary: 'workloads without a schedule of their own' },
          [{ cadence }],
        )
      ).workloadIds;
  const reports: SweepReport[] = [];
  for (const each of workloadIds) {
    reports.push(await sweepOne(input, each));
    setCurrentDetails(sweepDetails(input, reports));
  }
  const failed = reports.filter(({ outcome }) => outcome === 'failed');
  if (failed.length === 0) return { reports };
  const reasons = failed.map((report) => `${report.workloadId}: ${report.reason}`);
  throw ApplicationFailure.nonRetryable(reasons.join('; '), 'SweepFailed', { reports });
}

async function sweepOne(input: SweepInput, workloadId: string): Promise<SweepReport> {
  const report = await lookAndTrigger(input, workloadId).catch((error: unknown): SweepReport => {
    if (isCancellation(error)) throw error;
    return { workloadId, outcome: 'failed', reason: reasonOf(error), newRecords: null, runId: null };
  });
  const { cadence, scheduleId } = input;
  // The short looks of a volume trigger would bury everything else.
  if (cadence === 'volume' && report.outcome === 'skipped') return report;
  const { runId: execution, startTime, typedSearchAttributes } = workflowInfo();
  const scheduledAt = typedSearchAttributes.get(scheduledTimeAttribute) ?? startTime;
  await lineage.recordSweep({
    ...report,
    ...{ cadence, scheduleId, id: `${execution}/${workloadId}`, scheduledAt: scheduledAt.toISOString() },
  });
  return report;
}

async function lookAndTrigger(input: SweepInput, workloadId: string): Promise<SweepReport> {
  const { cadence, scheduleId, volume } = input;
  const found = await sweeping.assessWorkload.executeWithOptions(
    { summary: `count the news of ${workloadId}` },
    [{ cadence, workloadId, ...(volume === undefined ? {} : { volume }) }],
  );
  const { reason, newRecords } = found;
  if (!found.start) return { workloadId, outcome: 'skipped', reason, newRecords, runId: null };
  const { runId, state } = await sweeping.triggerRun.executeWithOptions(
    { summary: `ask for a run of ${workloadId}` },
    [
      {
        workloadId,
        trigger: {
          runId: newRunId(new Date(), uuid4().slice(0, 6)),
          reason,
          requestedBy: `schedule ${scheduleId}`,
          snapshotKind: found.snapshotKind,
        },
      },
    ],
  );
  return { workloadId, outcome: state, reason, newRecords, runId };
}
