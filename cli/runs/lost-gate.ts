import type { Client } from '@temporalio/client';
import type { Lineage } from '../../activities/ports/lineage.ts';
import { gateId } from '../../workflows/workflow-ids.ts';
import { CommandError } from '../command-error.ts';
import { viewOrNull } from './resolve-run.ts';
import { howItEnded, latestExecution } from './workflow-end.ts';

interface GateOf {
  readonly runId: string;
  readonly workload: string;
}

type GateLineage = Pick<Lineage, 'runs' | 'decisions' | 'audit'>;

/** How the workflow of a gate ended, as the second half of a sentence; null where it is open, or not known. */
export async function endOfGate(client: Client, runId: string): Promise<string | null> {
  const execution = await latestExecution(client, gateId(runId));
  return execution === null || execution.open ? null : howItEnded(client, execution);
}

/**
 * Closes the row of a gate whose workflow was ended from outside: nobody can decide there any more. No answer is no,
 * hence `expired`. False for a gate that has closed properly.
 */
export async function closeLostGate(
  lineage: GateLineage,
  { runId, workload }: GateOf,
  end: string,
): Promise<boolean> {
  if ((await viewOrNull(lineage, runId))?.approval?.status !== 'pending') return false;
  await lineage.decisions.closeGate(runId, 'expired');
  await lineage.audit.append({
    ...{ id: `gate:${runId}:expired`, workloadId: workload, runId, action: 'gate_expired' },
    ...{ actor: 'flywheel', actorSource: 'system', detail: { workflow: end } },
  });
  return true;
}

/** Closes such a gate, and says so by an error. Does nothing for one that is open or closed properly. */
export async function refuseLostGate(client: Client, lineage: GateLineage, gate: GateOf): Promise<void> {
  const end = await endOfGate(client, gate.runId);
  if (end === null || !(await closeLostGate(lineage, gate, end))) return;
  throw new CommandError(`The gate of run ${gate.runId} ${end}; it counts as expired.`, {
    code: 'gate_lost',
    next: (hint) => hint(`run ${gate.workload} --wait`),
  });
}
