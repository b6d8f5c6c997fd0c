import type { Client } from '@temporalio/client';
import type { Lineage } from '../../activities/ports/lineage.ts';
import { gateId } from '../../workflows/workflow-ids.ts';
import { CommandError } from '../command-error.ts';
import { viewOrNull } from './resolve-run.ts';
import { howItEnded, latestExecution } from './workflow-end.ts';

/**
 * Closes the row of a gate whose workflow was ended from outside, and says so by an error: nobody can decide
 * there any more. No answer is no, hence `expired`. Does nothing for a gate that is open or closed properly.
 */
export async function refuseLostGate(
  client: Client,
  lineage: Pick<Lineage, 'runs' | 'decisions' | 'audit'>,
  { runId, workload }: { readonly runId: string; readonly workload: string },
): Promise<void> {
  const execution = await latestExecution(client, gateId(runId));
  if (execution === null || execution.open) return;
  const end = await howItEnded(client, execution);
  if ((await viewOrNull(lineage, runId))?.approval?.status !== 'pending') return;
  await lineage.decisions.closeGate(runId, 'expired');
  await lineage.audit.append({
    ...{ id: `gate:${runId}:expired`, workloadId: workload, runId, action: 'gate_expired' },
    ...{ actor: 'flywheel', actorSource: 'system', detail: { workflow: end } },
  });
  throw new CommandError(`The gate of run ${runId} ${end}; it counts as expired.`, {
    code: 'gate_lost',
    next: (hint) => hint(`run ${workload} --wait`),
  });
}
