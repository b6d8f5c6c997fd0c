import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { sweep } from '../../workflows/index.ts';
import type { SweepInput } from '../../workflows/messages.ts';
import { workflowQueue } from '../../workflows/task-queues.ts';
import { client, messageOf, newWorld, useWorkers } from './support/bench.ts';

function run(input: Partial<SweepInput>) {
  return client.workflow.execute<typeof sweep>('sweep', {
    workflowId: `sweep:${randomUUID()}`,
    taskQueue: workflowQueue,
    workflowExecutionTimeout: '1 minute',
    args: [{ cadence: 'daily', scheduleId: 'daily', ...input }],
  });
}

describe('a sweep', () => {
  useWorkers();

  it('asks for an incremental run where there is enough news, and says so', async () => {
    const world = newWorld();

    const { reports } = await run({ workloadId: world.workloadId, scheduleId: `daily:${world.workloadId}` });

    expect(world.triggers).toEqual([
      {
        runId: expect.stringMatching(/^run-[a-z0-9-]+$/),
        reason: 'daily, 60 new records',
        requestedBy: `schedule daily:${world.workloadId}`,
        snapshotKind: 'incremental',
      },
    ]);
    expect(reports).toEqual([
      {
        workloadId: world.workloadId,
        outcome: 'started',
        reason: 'daily, 60 new records',
        newRecords: 60,
        runId: world.triggers[0]?.runId,
      },
    ]);
    expect(world.sweeps).toMatchObject([{ ...reports[0], cadence: 'daily' }]);
  });

  it('skips a workload with too little news, and says so', async () => {
    const world = newWorld({ news: { start: false, reason: '3 new records; 50 needed', newRecords: 3 } });

    const { reports } = await run({ workloadId: world.workloadId });

    expect(world.triggers).toEqual([]);
    expect(reports).toMatchObject([{ outcome: 'skipped', reason: '3 new records; 50 needed', runId: null }]);
    expect(world.sweeps).toMatchObject([{ outcome: 'skipped', newRecords: 3 }]);
  });

  it('looks for volume without a note each time, and notes what it asked for', async () => {
    const quiet = newWorld({ news: { start: false, reason: '3 new records; 500 needed', newRecords: 3 } });
    const busy = newWorld();

    await run({ workloadId: quiet.workloadId, cadence: 'volume', volume: 500 });
    await run({ workloadId: busy.workloadId, cadence: 'volume', volume: 50 });

    expect(quiet.sweeps).toEqual([]);
    expect(busy.sweeps).toMatchObject([{ cadence: 'volume', outcome: 'started' }]);
  });

  it('gives every workload its turn, though one of them cannot be looked at', async () => {
    const broken = newWorld({ news: new Error('workloads.yaml:2:3 default.threshold: too big') });
    const fine = newWorld();

    const message = await messageOf(run({}));

    expect(message).toContain(`${broken.workloadId}: workloads.yaml:2:3`);
    expect(fine.triggers).toHaveLength(1);
    expect(broken.sweeps).toMatchObject([{ outcome: 'failed', runId: null }]);
  });
});
