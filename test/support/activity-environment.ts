import type { Client } from '@temporalio/client';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';

/** One attempt at an activity. What the SDK logs about failures would bury the test's own output. */
export function anAttempt(
  options: { attempt?: number; client?: Client; runId?: string; scheduledMsAgo?: number } = {},
): MockActivityEnvironment {
  const { attempt = 1, client, runId, scheduledMsAgo = 0 } = options;
  // An hour for all attempts.
  const times = { scheduledTimestampMs: Date.now() - scheduledMsAgo, scheduleToCloseTimeoutMs: 3_600_000 };
  const workflow = runId === undefined ? {} : { workflowExecution: { workflowId: 'flywheel:hr', runId } };
  const logger = new DefaultLogger('ERROR', () => undefined);
  return new MockActivityEnvironment(
    { attempt, ...times, ...workflow },
    { logger, ...(client ? { client } : {}) },
  );
}

/** `environment.run`, with the activity's result type. */
export async function runIn<A extends unknown[], R>(
  environment: MockActivityEnvironment,
  activity: (...args: A) => Promise<R>,
  ...args: A
): Promise<R> {
  return (await environment.run(activity, ...args)) as R;
}
