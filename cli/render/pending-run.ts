import type { Hint } from '../hint.ts';
import type { PendingRun } from '../runs/pending-run.ts';

export function pendingLine({ runId, workload, behind }: PendingRun): string {
  return behind === null
    ? `Run ${runId} of ${workload} is about to begin.`
    : `Run ${runId} of ${workload} is queued behind ${behind}, and begins once that has ended.`;
}

/** Instead of a run's page while there is nothing on it. */
export function pendingPage(run: PendingRun, hint: Hint): string {
  return [
    pendingLine(run),
    `  follow it: ${hint(`watch ${run.runId}`)}`,
    `  take it back: ${hint(`cancel ${run.runId}`)}`,
  ].join('\n');
}
