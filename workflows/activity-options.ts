import { ActivityCancellationType, type ActivityOptions, proxyActivities } from '@temporalio/workflow';
import type { Activities, DeviceActivities } from '../activities/index.ts';
import { activityQueue, gpuQueue, promptQueue } from './task-queues.ts';

/**
 * One policy per reason. Attempts are never counted where a worker's shutdown would use them up: time and
 * the failure's own type (see `activities/failures.ts`) decide instead.
 */

/** A write to PostgreSQL takes milliseconds, and outliving a day of outage beats losing hours of training. */
const bookkeeping = {
  taskQueue: promptQueue,
  startToCloseTimeout: '20 seconds',
  scheduleToCloseTimeout: '1 day',
  retry: { initialInterval: '500 milliseconds', maximumInterval: '30 seconds' },
  // A write that is under way ends, done or not, before anything that depends on which.
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
} satisfies ActivityOptions;

/** Streams every record of a workload: minutes for millions; a dead worker shows within half a minute. */
const data = {
  taskQueue: activityQueue,
  startToCloseTimeout: '2 hours',
  heartbeatTimeout: '30 seconds',
  scheduleToCloseTimeout: '1 day',
  retry: { initialInterval: '1 second', maximumInterval: '1 minute' },
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
} satisfies ActivityOptions;

/** Asks a model for every item; stored answers are not asked again, so that another attempt is cheap. */
const evaluation = {
  taskQueue: activityQueue,
  startToCloseTimeout: '12 hours',
  heartbeatTimeout: '20 seconds',
  scheduleToCloseTimeout: '2 days',
  retry: { initialInterval: '1 second', maximumInterval: '1 minute' },
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
} satisfies ActivityOptions;

/** Advisory, so not worth a day's wait; judgements that were stored are not asked for again. */
const judgement = {
  ...evaluation,
  startToCloseTimeout: '1 hour',
  scheduleToCloseTimeout: '2 hours',
} satisfies ActivityOptions;

/**
 * A share of what an evaluation takes. Not worth two days of waiting for guardrails that are out: after these hours
 * the experiment's safety is unknown, which is no pass. Results that were stored are not asked for again.
 */
const checking = {
  ...evaluation,
  startToCloseTimeout: '2 hours',
  scheduleToCloseTimeout: '4 hours',
} satisfies ActivityOptions;

/**
 * Holds a device. It may wait a week for it and for outages to pass; each attempt adopts the job that an
 * earlier one started; and a cancellation waits until the remote job has ended, so that the device is free.
 */
const training = {
  scheduleToCloseTimeout: '7 days',
  startToCloseTimeout: '1 day',
  heartbeatTimeout: '20 seconds',
  retry: { initialInterval: '1 second', maximumInterval: '1 minute' },
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
} satisfies ActivityOptions;

/** A sweep's steps: counts and one message. After six hours of outage the next night's sweep is near enough. */
const looking = {
  taskQueue: promptQueue,
  startToCloseTimeout: '2 minutes',
  scheduleToCloseTimeout: '6 hours',
  retry: { initialInterval: '1 second', maximumInterval: '1 minute' },
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
} satisfies ActivityOptions;

/**
 * Ends a remote job that nobody waits for. Attempts are bounded, about an hour's worth, and not the wait for a
 * worker: a stack that was stopped at the wrong moment ends the job once it is back.
 */
const cleanUp = {
  taskQueue: promptQueue,
  startToCloseTimeout: '5 minutes',
  heartbeatTimeout: '30 seconds',
  scheduleToCloseTimeout: '7 days',
  retry: { initialInterval: '1 second', maximumInterval: '30 seconds', maximumAttempts: 120 },
} satisfies ActivityOptions;

/** Gives back what nobody needs. A few attempts: the next run, move or `flywheel cleanup` finishes what is left. */
const giveBack = {
  taskQueue: promptQueue,
  startToCloseTimeout: '5 minutes',
  heartbeatTimeout: '30 seconds',
  scheduleToCloseTimeout: '15 minutes',
  retry: { initialInterval: '1 second', maximumInterval: '10 seconds', maximumAttempts: 3 },
} satisfies ActivityOptions;

/** The same with nobody in a hurry: an accelerator stays taken until it works, so that a week's outage is outlived. */
const giveBackLater = {
  ...giveBack,
  scheduleToCloseTimeout: '7 days',
  retry: { initialInterval: '10 seconds', maximumInterval: '10 minutes' },
} satisfies ActivityOptions;

/** Asks the gateway until it shows the move: bounded by its own input, told by heartbeats that it is alive. */
const proof = {
  taskQueue: promptQueue,
  startToCloseTimeout: '15 minutes',
  heartbeatTimeout: '90 seconds',
  retry: { initialInterval: '1 second', maximumInterval: '10 seconds', maximumAttempts: 5 },
  cancellationType: ActivityCancellationType.TRY_CANCEL,
} satisfies ActivityOptions;

export const lineage = proxyActivities<Activities>(bookkeeping);
export const pipeline = proxyActivities<Activities>(data);
export const sweeping = proxyActivities<Activities>(looking);
export const measuring = proxyActivities<Activities>(evaluation);
export const guarding = proxyActivities<Activities>(checking);
export const judging = proxyActivities<Activities>(judgement);
export const cleaning = proxyActivities<Activities>(cleanUp);
export const releasing = proxyActivities<Activities>(giveBack);
export const retiring = proxyActivities<Activities>(giveBackLater);
export const proving = proxyActivities<Activities>(proof);

/** Activities on the pool's devices: a slot of its worker is the lease. */
export function onDevice(pool: string, workloadId: string) {
  return proxyActivities<DeviceActivities>({
    ...training,
    taskQueue: gpuQueue(pool),
    // Workloads that wait for one pool take turns.
    priority: { fairnessKey: workloadId.slice(0, 64) },
  });
}
