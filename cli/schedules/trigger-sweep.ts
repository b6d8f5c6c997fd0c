import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { SweepReport } from '../../domain/schedules/sweep.ts';
import type { SweepResult } from '../../workflows/messages.ts';
import { CommandError } from '../command-error.ts';
import { answeredByWorker } from '../runs/answered-by-worker.ts';

/** The server takes a moment to start what a trigger asks for. */
const startsWithinMs = 15_000;

/** Has the schedule sweep now, and waits for what comes of it: seconds. */
export async function triggerSweep(client: Client, scheduleId: string): Promise<readonly SweepReport[]> {
  const handle = client.schedule.getHandle(scheduleId);
  const before = await actionsOf(client, scheduleId);
  await handle.trigger('ALLOW_ALL');
  const started = await newAction(client, scheduleId, new Set(before.map(idOf)));
  const sweep = client.workflow.getHandle(started.workflowId, started.firstExecutionRunId);
  return answeredByWorker(resultOf(sweep.result()), `The sweep of ${scheduleId} has started`);
}

/** A sweep that failed for some workload fails, and says what it did for every one. */
async function resultOf(result: Promise<unknown>): Promise<readonly SweepReport[]> {
  try {
    return ((await result) as SweepResult).reports;
  } catch (error) {
    const cause = error instanceof WorkflowFailedError ? error.cause : undefined;
    const details = cause instanceof ApplicationFailure ? cause.details?.[0] : undefined;
    if (details) return (details as SweepResult).reports;
    throw error;
  }
}

async function newAction(client: Client, scheduleId: string, before: ReadonlySet<string>) {
  for (const deadline = Date.now() + startsWithinMs; Date.now() < deadline; await sleep(200)) {
    const found = (await actionsOf(client, scheduleId)).find((action) => !before.has(idOf(action)));
    if (found) return found;
  }
  throw new CommandError(`${scheduleId} was triggered, but Temporal has not started its sweep yet.`, {
    code: 'late',
    next: (hint) => `See \`${hint('schedule list')}\` in a moment.`,
  });
}

async function actionsOf(client: Client, scheduleId: string) {
  const { info } = await client.schedule.getHandle(scheduleId).describe();
  return info.recentActions.map(({ action }) => action.workflow);
}

function idOf({
  workflowId,
  firstExecutionRunId,
}: {
  workflowId: string;
  firstExecutionRunId: string;
}): string {
  return `${workflowId}/${firstExecutionRunId}`;
}
