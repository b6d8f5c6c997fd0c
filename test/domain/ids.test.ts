import { expect, it } from 'vitest';
import { isPlainId, newRunId, runIdIn, snapshotId } from '../../domain/ids.ts';

it('makes run ids that sort by time', () => {
  const first = newRunId(new Date('2026-03-01T09:05:07.123Z'), 'k3x');

  expect(first).toBe('run-20260301t090507z-k3x');
  expect(newRunId(new Date('2026-03-01T10:00:00Z'), 'a00') > first).toBe(true);
  expect(snapshotId(first)).toBe('snap-20260301t090507z-k3x');
});

it('reads the run id in a name that was made of one', () => {
  const run = newRunId(new Date('2026-03-01T09:05:07Z'), 'k3x');

  expect(runIdIn(`flywheel/flywheel-hr-${run}-0123456789abcdef@cust-1`)).toBe(run);
  expect(runIdIn(`flywheel-run-20250101t000000z-aaa-${run}-0123456789abcdef`)).toBe(run);
  expect(runIdIn('flywheel-run-of-the-mill-0123456789abcdef')).toBeNull();
});

it.each(['hr', 'Kunden_1', 'eu/support:v2', 'ana+test@example.com', '3', 'x'.repeat(200)])(
  '%s is an id',
  (id) => {
    expect(isPlainId(id)).toBe(true);
  },
);

it.each([
  '',
  ' ',
  'a b',
  'hr\n',
  'a;b',
  '$HOME',
  '`id`',
  'a|b',
  "it's",
  'a"b',
  '-x',
  '../x',
  'Köln',
  'x'.repeat(201),
])('%j is none', (id) => {
  expect(isPlainId(id)).toBe(false);
});
