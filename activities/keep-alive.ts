import { heartbeat } from '@temporalio/activity';

/** Well below every policy group's heartbeat time-out; the SDK throttles what is sent. */
const everyMs = 5_000;

/**
 * Runs the work while its newest state goes out as heartbeat, also while one step of it takes long. Heartbeats
 * are how a cancellation gets in, so nothing that should be cancellable may run without.
 */
export async function keepAlive<T>(state: () => unknown, work: () => Promise<T>): Promise<T> {
  heartbeat(state());
  const timer = setInterval(() => heartbeat(state()), everyMs);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}
