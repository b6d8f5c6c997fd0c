import type { Lineage } from '../../activities/ports/lineage.ts';
import type { RunView } from '../../activities/ports/run-lineage.ts';
import { NotFoundError } from '../../domain/errors.ts';
import { CommandError } from '../command-error.ts';

/** The run that an argument names: a run id, or a workload, which stands for its newest run. */
async function resolveRun(lineage: Pick<Lineage, 'runs'>, name: string): Promise<RunView> {
  const found = await findRun(lineage, name);
  if (found) return found;
  throw noSuchRun(name);
}

export async function findRun(lineage: Pick<Lineage, 'runs'>, name: string): Promise<RunView | null> {
  const found = await viewOrNull(lineage, name);
  if (found) return found;
  const latest = await lineage.runs.latest(name);
  return latest === null ? null : lineage.runs.view(latest);
}

export function noSuchRun(name: string): CommandError {
  return new CommandError(`There is no run and no workload with runs called "${name}".`, {
    code: 'not_found',
    next: (hint) => `\`${hint('runs')}\` lists runs; \`${hint('workloads')}\` lists workloads.`,
  });
}

/** The run whose gate waits for a decision: by run id, or the newest one of a workload. */
export async function resolveGate(lineage: Pick<Lineage, 'runs'>, name: string): Promise<RunView> {
  const run = await viewOrNull(lineage, name);
  if (run) return run;
  const [open] = await lineage.runs.openGates(name);
  if (open) return lineage.runs.view(open.runId);
  const latest = await resolveRun(lineage, name);
  throw new CommandError(`Nothing of workload "${name}" waits for a decision; ${whyNot(latest)}.`, {
    code: 'no_open_gate',
    next: (hint) => `\`${hint(`show ${latest.runId}`)}\` tells more.`,
  });
}

function whyNot(run: RunView): string {
  if (run.status === 'running') return `its newest run ${run.runId} is still at work`;
  if (run.approval) return `its newest run ${run.runId} is ${run.approval.status}`;
  return `its newest run ${run.runId} ended ${run.status} without anything to promote`;
}

export async function viewOrNull(lineage: Pick<Lineage, 'runs'>, runId: string): Promise<RunView | null> {
  try {
    return await lineage.runs.view(runId);
  } catch (error) {
    if (error instanceof NotFoundError) return null;
    throw error;
  }
}
