import { expect, it } from 'vitest';
import type { LogStore } from '../../activities/ports/log-store.ts';
import type { RunListItem } from '../../activities/ports/run-lineage.ts';
import { createSweep } from '../../activities/sweep.ts';
import { NotFoundError } from '../../domain/errors.ts';
import type { RunTrigger } from '../../domain/runs/trigger.ts';
import { aPolicy, policiesOf } from '../support/policies.ts';
import { aRunView } from '../support/run-views.ts';

const schedule = { ...aPolicy().schedule, minNewRecords: 60 };
const watermark = '2026-11-20T02:00:00.000000Z';

interface World {
  watermark?: string | null;
  last?: Partial<RunListItem>;
  /** Records at or after a time, oldest first. */
  records?: readonly string[];
  own?: readonly string[];
  begun?: readonly string[];
}

function setup(world: World = {}) {
  const records = world.records ?? [];
  const asked: (string | null)[] = [];
  const triggered: RunTrigger[] = [];
  const last = { startedAt: '2026-11-20T03:00:00.000Z', status: 'completed', ...world.last } as RunListItem;
  const logStore: Pick<LogStore, 'workloads' | 'countSince'> = {
    workloads: async () =>
      ['hr', 'it', 'sales'].map((workloadId) => ({
        workloadId,
        records: 1,
        clients: 1,
        firstTimestamp: '',
        lastTimestamp: '',
      })),
    async countSince(_, since) {
      asked.push(since);
      return records.filter((at) => since === null || at >= since).length;
    },
  };
  const activities = createSweep({
    logStore,
    policies: policiesOf(aPolicy({ schedule: { ...schedule, daily: '02:00' } }), {
      sales: aPolicy({ schedule }),
    }),
    flywheels: {
      async trigger(_, trigger) {
        triggered.push(trigger);
        return { runId: trigger.runId, state: 'started' };
      },
      scheduled: async () => new Set(world.own ?? []),
    },
    lineage: {
      runs: {
        list: async () => (world.last ? [last] : []),
        async view(runId) {
          if (world.begun?.includes(runId)) return aRunView({ runId });
          throw new NotFoundError('no such run');
        },
      },
      datasets: { watermark: async () => world.watermark ?? null },
      sweeps: { record: async () => undefined },
    },
    defaults: { minRecords: 50 },
  });
  return { ...activities, asked, triggered };
}

function recordsAt(time: string, count: number): string[] {
  return Array.from({ length: count }, () => time);
}

it('finds the workloads that have no schedule of their own and do not refuse this one', async () => {
  expect(await setup({ own: ['it'] }).findWorkloads({ cadence: 'daily' })).toEqual({ workloadIds: ['hr'] });
  // The default asks for no weekly one: nobody refuses what a person set by hand.
  expect(await setup().findWorkloads({ cadence: 'weekly' })).toEqual({ workloadIds: ['hr', 'it', 'sales'] });
});

it('counts since the watermark', async () => {
  const records = [...recordsAt('2026-11-19T00:00:00Z', 100), ...recordsAt('2026-11-20T12:00:00Z', 61)];
  const { assessWorkload } = setup({ watermark, records, last: {} });

  const found = await assessWorkload({ cadence: 'daily', workloadId: 'hr' });

  expect(found).toMatchObject({ start: true, newRecords: 61, snapshotKind: 'incremental' });
});

it('counts no record as news that an open run reads already', async () => {
  const records = [...recordsAt('2026-11-20T02:30:00Z', 100), ...recordsAt('2026-11-20T12:00:00Z', 59)];
  const { assessWorkload } = setup({ watermark, records, last: { status: 'running' } });

  expect(await assessWorkload({ cadence: 'daily', workloadId: 'hr' })).toEqual({
    start: false,
    newRecords: 59,
    reason: '59 new records since 2026-11-20T03:00:00.000Z; 60 needed',
  });
});

it('does not try a volume again that a failed run has seen', async () => {
  const records = recordsAt('2026-11-20T02:30:00Z', 100);
  const { assessWorkload } = setup({ watermark, records, last: { status: 'failed' } });

  expect(await assessWorkload({ cadence: 'volume', workloadId: 'hr', volume: 80 })).toMatchObject({
    start: false,
    newRecords: 0,
  });
  expect(await assessWorkload({ cadence: 'daily', workloadId: 'hr' })).toMatchObject({ start: true });
});

it('begins no run a second time whose receipt was lost', async () => {
  const trigger = { runId: 'run-1', reason: 'daily', requestedBy: 'schedule daily' };
  const { triggerRun, triggered } = setup({ begun: ['run-1'] });

  const receipt = await triggerRun({ workloadId: 'hr', trigger });
  await triggerRun({ workloadId: 'hr', trigger: { ...trigger, runId: 'run-2' } });

  expect(receipt).toEqual({ runId: 'run-1', state: 'started' });
  expect(triggered.map(({ runId }) => runId)).toEqual(['run-2']);
});
