import type { WorkerOptions } from '@temporalio/worker';

/** How quickly activities hear of a cancellation, and hand over when the worker stops. */
export const promptness = {
  // A cancellation travels with the reply to a heartbeat; the default throttle would keep it for most of a minute.
  maxHeartbeatThrottleInterval: '2 seconds',
  defaultHeartbeatThrottleInterval: '2 seconds',
  // Long enough to store the answers that are under way. Longer work goes on elsewhere: it is resumable.
  shutdownGraceTime: '5 seconds',
} satisfies Partial<WorkerOptions>;
