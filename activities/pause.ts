import { setTimeout } from 'node:timers/promises';

/**
 * Waits, or rejects with the signal's reason as soon as it aborts. Temporal's own `sleep` leaves a handler on
 * the activity's `cancelled` promise each time, which adds up in a loop that polls for a day.
 */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await setTimeout(ms, undefined, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}
