import type { Client } from '@temporalio/client';
import { cadences } from '../../../domain/schedules/cadence.ts';
import { scheduleId } from '../../../workflows/workflow-ids.ts';
import { CommandError } from '../../command-error.ts';
import { exitCodes } from '../../exit-codes.ts';

/** The workload, or null for `--all`. */
export function exclusiveTarget(workload: string | undefined, all: boolean | undefined): string | null {
  if ((workload === undefined) === (all !== true))
    throw new CommandError(
      workload === undefined ? 'Which workload?' : `Either ${workload} or --all, not both.`,
      {
        code: 'usage',
        exitCode: exitCodes.usage,
        next: 'Name a workload, or give --all.',
      },
    );
  return workload ?? null;
}

/** The schedules that a name stands for: a schedule's id, or a workload for all of its own. */
export async function findSchedules(client: Client, name: string): Promise<string[]> {
  const { scheduleIds } = await import('../../../wiring/schedules/schedule-ids.ts');
  const ids = await scheduleIds(client);
  const found = ids.includes(name) ? [name] : ownSchedules(ids, name);
  if (found.length > 0) return found;
  throw new CommandError(`There is no schedule "${name}" (there: ${ids.join(', ') || 'none'}).`, {
    code: 'not_found',
    next: (hint) =>
      `See \`${hint('schedule list')}\`; \`${hint('schedule set --help')}\` says how to make one.`,
  });
}

/** Those of the ids that are a workload's own; a workload's id may have a colon in it. */
export function ownSchedules(ids: readonly string[], workloadId: string): string[] {
  const own = cadences.map((cadence) => scheduleId(cadence, workloadId));
  return ids.filter((id) => own.includes(id));
}

/** The one schedule that a name stands for. */
export async function findSchedule(client: Client, name: string): Promise<string> {
  const [first = '', ...others] = await findSchedules(client, name);
  if (others.length === 0) return first;
  throw new CommandError(`${name} has several schedules: ${[first, ...others].join(', ')}.`, {
    code: 'usage',
    exitCode: exitCodes.usage,
    next: 'Name one of them.',
  });
}
