import { expect, it } from 'vitest';
import { decideSweep, type SweepFacts } from '../../../domain/schedules/decide-sweep.ts';

const facts: SweepFacts = {
  cadence: 'daily',
  total: 500,
  newRecords: 60,
  since: '2026-11-20T02:00:00Z',
  minRecords: 50,
  minNewRecords: 50,
};

it.each<[string, Partial<SweepFacts>, boolean, string]>([
  ['enough news', {}, true, 'daily, 60 new records since 2026-11-20T02:00:00Z'],
  ['exactly enough', { newRecords: 50 }, true, 'daily, 50 new records since 2026-11-20T02:00:00Z'],
  ['too little news', { newRecords: 49 }, false, '49 new records since 2026-11-20T02:00:00Z; 50 needed'],
  ['one record', { newRecords: 1 }, false, '1 new record since 2026-11-20T02:00:00Z; 50 needed'],
  ['the first time', { since: null, newRecords: 500 }, true, 'daily, 500 new records'],
  ['fewer than a dataset needs', { minNewRecords: 5, newRecords: 20 }, false, '20 new records since'],
  ['hardly any traffic', { total: 12, newRecords: 12 }, false, '12 records in all; a dataset needs 50'],
  ['a volume reached', { cadence: 'volume', minNewRecords: 60 }, true, 'volume, 60 new records'],
  ['a volume not reached', { cadence: 'volume', minNewRecords: 61 }, false, '60 new records'],
])('%s', (_, changes, start, reason) => {
  const decision = decideSweep({ ...facts, ...changes });

  expect(decision.start).toBe(start);
  expect(decision.reason).toContain(reason);
  if (decision.start) expect(decision.snapshotKind).toBe('incremental');
});

it('a weekly sweep is deep, however little is new, as long as there is enough in all', () => {
  const weekly = { ...facts, cadence: 'weekly', newRecords: 0 } as const;

  expect(decideSweep(weekly)).toEqual({
    ...{ start: true, snapshotKind: 'deep', reason: 'weekly, over all 500 records' },
  });
  expect(decideSweep({ ...weekly, total: 10 }).start).toBe(false);
});
