import { expect, test } from 'vitest';
import { BatchQueue, type QueueOptions } from '../../sdk/batch-queue.ts';
import { Losses } from '../../sdk/losses.ts';
import { StoreError } from '../../sdk/record.ts';
import { eventually } from '../support/eventually.ts';

function setup(send: QueueOptions<number>['send'], limits: Partial<QueueOptions<number>> = {}) {
  const losses = new Losses(() => undefined);
  const queue = new BatchQueue<number>({
    ...{ maxItems: 100, maxBytes: 1_000, batchItems: 10, batchBytes: 500, flushEveryMs: 1 },
    ...{ send, losses },
    ...limits,
  });
  return { queue, losses };
}

test('batches are bounded by items and by bytes, in order', async () => {
  const batches: (readonly number[])[] = [];
  const { queue } = setup(async (batch) => void batches.push(batch), {
    ...{ flushEveryMs: 10_000, batchItems: 3, maxBytes: 10_000 },
  });

  for (const [item, bytes] of [
    [1, 10],
    [2, 10],
    [3, 490],
    [4, 600],
  ] as const)
    queue.push(item, bytes);
  await queue.flush(1_000);

  expect(batches).toEqual([[1, 2], [3], [4]]);
});

test('the buffer is bounded by bytes, of what is under way too', async () => {
  let release: () => void = () => undefined;
  const { queue, losses } = setup(
    () =>
      new Promise<void>((resolve) => {
        release = resolve;
      }),
  );

  expect(queue.push(1, 900)).toBe(true);
  const flushing = queue.flush(1_000);
  expect(queue.push(2, 200)).toBe(false);
  release();
  await flushing;
  expect(queue.push(3, 200)).toBe(true);

  expect(losses.counts).toEqual({ buffer_full: 1 });
});

test('what the store refuses for good is counted and does not hold up the rest', async () => {
  const sent: number[] = [];
  const { queue, losses } = setup(
    async ([item = 0]) => {
      if (item === 1) throw new StoreError('never', { retryable: false });
      sent.push(item);
      return { stored: 0, duplicates: 1, rejected: { invalid_request: 1 } };
    },
    { batchItems: 1 },
  );

  queue.push(1, 1);
  queue.push(2, 1);
  await queue.flush(1_000);

  expect(sent).toEqual([2]);
  expect(losses.counts).toEqual({ refused: 2 });
  expect(queue.counts).toEqual({ sent: 0, duplicates: 1, waiting: 0, lastError: null });
});

test('one item that the store finds too large is lost alone', async () => {
  const sent: number[] = [];
  const { queue, losses } = setup(
    async (batch) => {
      if (batch.includes(3)) throw new StoreError('413', { tooLarge: true });
      sent.push(...batch);
    },
    { flushEveryMs: 10_000 },
  );

  for (const item of [1, 2, 3, 4, 5]) queue.push(item, 1);
  await queue.flush(1_000);

  expect(sent).toEqual([1, 2, 4, 5]);
  expect(losses.counts).toEqual({ too_large: 1 });
});

test('it tries again by itself', async () => {
  let tries = 0;
  const { queue } = setup(async () => {
    tries += 1;
    if (tries < 2) throw new Error('down');
  });

  queue.push(1, 1);

  await eventually(() => expect(queue.counts).toMatchObject({ sent: 1, waiting: 0, lastError: null }));
  expect(tries).toBe(2);
});
