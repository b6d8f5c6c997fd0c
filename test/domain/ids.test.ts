import { expect, it } from 'vitest';
import { newRunId, snapshotId } from '../../domain/ids.ts';

it('makes run ids that sort by time', () => {
  const first = newRunId(new Date('2026-03-01T09:05:07.123Z'), 'k3x');

  expect(first).toBe('run-20260301t090507z-k3x');
  expect(newRunId(new Date('2026-03-01T10:00:00Z'), 'a00') > first).toBe(true);
  expect(snapshotId(first)).toBe('snap-20260301t090507z-k3x');
});
