import pLimit from 'p-limit';

/**
 * At most `concurrency` at a time. The first error, or the cancellation, breaks off what is in flight, and is
 * thrown once nothing runs any more: nothing of this attempt may write beside the next one.
 */
export async function forEachBounded<T>(
  items: readonly T[],
  concurrency: number,
  cancellation: AbortSignal,
  work: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const failed = new AbortController();
  const signal = AbortSignal.any([cancellation, failed.signal]);
  const limit = pLimit(concurrency);
  const guarded = async (item: T) => {
    if (signal.aborted) return;
    await work(item, signal).catch((error: unknown) => failed.abort(error));
  };
  await Promise.all(items.map((item) => limit(guarded, item)));
  signal.throwIfAborted();
}
