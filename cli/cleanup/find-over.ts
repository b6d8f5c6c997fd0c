import type { Client } from '@temporalio/client';
import type { Lineage, Promotable } from '../../activities/ports/lineage.ts';
import type { Config } from '../../config/config.ts';
import { gateId, rolloutId } from '../../workflows/workflow-ids.ts';
import { CommandError } from '../command-error.ts';
import { closeLostGate, endOfGate } from '../runs/lost-gate.ts';
import { closeAsLost, lossOf, type OpenRun } from '../runs/lost-run.ts';
import { latestExecution } from '../runs/workflow-end.ts';
import { withTemporal } from '../services.ts';
import { messageOf, type Problem } from './report.ts';

export interface Over {
  /** Runs that the lineage has open, or approved and not moved, and that have ended all the same. */
  readonly runIds: readonly string[];
  readonly problem: Problem | null;
}

/** A gate waits a day for another move, a deployment two: no rollout is on its way after that long. */
const approvalLastsMs = 7 * 24 * 3_600_000;

/**
 * What Temporal knows to have ended and the lineage does not: a workflow that was terminated could not say so. Such
 * runs and gates are closed, except in a dry run. Where Temporal is away everything counts as open.
 */
export async function findOver(config: Config, lineage: Lineage, dryRun: boolean): Promise<Over> {
  const [running, promotable] = await Promise.all([lineage.runs.running(), lineage.decisions.promotable()]);
  if (running.length + promotable.length === 0) return { runIds: [], problem: null };
  try {
    return await withTemporal(config, async (client) => {
      const asking = { client, lineage, dryRun };
      const over = await Promise.all([
        ...running.map(async (run) => ((await isLost(asking, run)) ? [run.runId] : [])),
        ...promotable.map(async (one) => ((await isOver(asking, one)) ? [one.runId] : [])),
      ]);
      return { runIds: over.flat(), problem: null };
    });
  } catch (error) {
    const reason = `${messageOf(error)} Every run and gate counts as open.`;
    return { runIds: [], problem: { who: 'Temporal', reason } };
  }
}

interface Asking {
  readonly client: Client;
  readonly lineage: Lineage;
  readonly dryRun: boolean;
}

async function isLost({ client, lineage, dryRun }: Asking, run: OpenRun): Promise<boolean> {
  const loss = await lossOf(client, run).catch((error: unknown) => {
    // Nobody is there to say what it works on: it may be this run.
    if (error instanceof CommandError && error.code === 'no_worker') return 'kept' as const;
    throw error;
  });
  if (typeof loss === 'string') return false;
  return dryRun || closeAsLost(lineage, run.runId, loss.failure, loss.status);
}

async function isOver({ client, lineage, dryRun }: Asking, one: Promotable): Promise<boolean> {
  if (one.gate === 'approved') return !(await mayStillMove(client, one));
  const end = await endOfGate(client, one.runId);
  if (end === null) return false;
  return dryRun || closeLostGate(lineage, one, end);
}

/** What Temporal does not know proves nothing, it may be another Temporal; but not for ever. */
async function mayStillMove(client: Client, { runId, workload, decidedAt }: Promotable): Promise<boolean> {
  // One after the other: a gate ends once it has left its rollout behind, which is then found.
  const gate = await latestExecution(client, gateId(runId));
  const workflows = [gate, await latestExecution(client, rolloutId(workload))];
  if (workflows.some((workflow) => workflow?.open)) return true;
  return (
    workflows.every((workflow) => workflow === null) &&
    Date.now() - Date.parse(decidedAt ?? '') < approvalLastsMs
  );
}
