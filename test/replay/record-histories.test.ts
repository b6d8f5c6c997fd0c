import { mkdir, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { fileURLToPath } from 'node:url';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { describe, it } from 'vitest';
import { noGuardrails } from '../../domain/guardrails/guardrails.ts';
import type { sweep } from '../../workflows/index.ts';
import type { SweepInput } from '../../workflows/messages.ts';
import { workflowQueue } from '../../workflows/task-queues.ts';
import { promotionMoveId, retirementId, rolloutId } from '../../workflows/workflow-ids.ts';
import { aPolicy } from '../support/policies.ts';
import {
  client,
  decide,
  flywheelHandle,
  messageOf,
  newTrigger,
  newWorld,
  openGate,
  rolloutHandle,
  runOnce,
  trigger,
  untilTrue,
  useWorkers,
} from '../workflows/support/bench.ts';

/**
 * Writes the histories that `replay.test.ts` replays. By hand, after a change that old runs need not survive:
 *
 *     RECORD_HISTORIES=1 npx vitest run --project integration test/replay/record-histories.test.ts
 */
describe.runIf(process.env.RECORD_HISTORIES)('recorded histories', () => {
  useWorkers();

  // First: it sweeps every workload that there is by then.
  it('of a sweep over all: one run asked for, one workload left out, one that cannot be looked at', async () => {
    const busy = newWorld();
    newWorld({ news: { start: false, reason: '3 new records; 50 needed', newRecords: 3 } });
    newWorld({ news: new Error('workloads.yaml:2:3 default.threshold: too big') });
    await messageOf(sweepOnce('sweep:all', {}));
    await save('sweep-all', 'sweep:all');
    const { workloadId } = busy;
    const input = { cadence: 'volume', volume: 50, scheduleId: `volume:${workloadId}`, workloadId } as const;
    await sweepOnce('sweep:volume', input);
    await save('sweep-volume', 'sweep:volume');
  });

  it('of a run that ends at its verdict, its experiment and its approved gate', async () => {
    const world = newWorld();
    const run = await runOnce(world);
    await save('flywheel-verdict', `flywheel:${world.workloadId}`);
    await save('experiment-lora', `flywheel:${world.workloadId}/${run.runId}/nano/lora`);
    await decide(run);
    await rolloutHandle(rolloutId(world.workloadId)).result();
    await save('gate-approved', `gate:${run.runId}`);
    await save('rollout-moved', rolloutId(world.workloadId));
  });

  it('of a run that is cancelled in training, with another one queued', async () => {
    const world = newWorld({ fineTune: 'hang' });
    const [first, second] = [newTrigger(), newTrigger({ strategies: ['base'] })];
    await trigger(world, first);
    await untilTrue(() => world.jobs.size > 0);
    await trigger(world, second);
    const { runId } = (await flywheelHandle(world).describe()) as { runId: string };
    await flywheelHandle(world).cancel();
    await untilTrue(() => world.closedRuns.has(second.runId));
    await save('flywheel-cancelled-then-next', `flywheel:${world.workloadId}`, runId);
    await save('experiment-cancelled', `flywheel:${world.workloadId}/${first.runId}/nano/lora`);
  });

  it('of a run with guardrails, and its experiment', async () => {
    const world = newWorld({
      policy: aPolicy({ guardrails: { ...noGuardrails, answers: { card: '4111' } } }),
      safety: (strategy) => (strategy === 'lora' ? 7 : new Error('guardrails are out')),
    });
    const run = await runOnce(world);
    await save('flywheel-guardrails', `flywheel:${world.workloadId}`);
    await save('experiment-guardrails', `flywheel:${world.workloadId}/${run.runId}/nano/lora`);
    await save('experiment-unchecked', `flywheel:${world.workloadId}/${run.runId}/nano/base`);
  });

  it('of a run whose experiments all fail', async () => {
    const world = newWorld({ score: () => new Error('model is gone') });
    await messageOf(runOnce(world));
    await save('flywheel-failed', `flywheel:${world.workloadId}`);
  });

  it('of a gate that expires after reminders', async () => {
    const { runId } = await openGate(newWorld({ gateTtlMs: 2_500, remindEveryMs: 1_000 }));
    await client.workflow.getHandle(`gate:${runId}`).result();
    await save('gate-expired', `gate:${runId}`);
  });

  it('of a rollout that deploys, and of the retirement that it leaves behind', async () => {
    const world = newWorld({ deployment: 'ready', kept: [500] });
    const run = await openGate(world);
    await decide(run);
    await rolloutHandle(rolloutId(world.workloadId)).result();
    await save('rollout-deployed', rolloutId(world.workloadId));
    const retiredId = retirementId(promotionMoveId(run.runId));
    await client.workflow.getHandle(retiredId).result();
    await save('retirement', retiredId);
  });

  // `rollout-not-deployed-unrecorded` is one of before such a rollout was written to the audit log.
  it('of a rollout that cannot deploy what was approved', async () => {
    const world = newWorld({ deployment: new Error('insufficient GPUs') });
    const run = await openGate(world);
    await decide(run);
    await messageOf(rolloutHandle(rolloutId(world.workloadId)).result());
    await save('rollout-not-deployed', rolloutId(world.workloadId));
  });

  it('of a rollout that is restored', async () => {
    const world = newWorld({ proof: false });
    await decide(await openGate(world));
    await rolloutHandle(rolloutId(world.workloadId)).result();
    await save('rollout-restored', rolloutId(world.workloadId));
  });
});

function sweepOnce(workflowId: string, input: Partial<SweepInput>) {
  return client.workflow.execute<typeof sweep>('sweep', {
    workflowId,
    taskQueue: workflowQueue,
    workflowExecutionTimeout: '2 minutes',
    args: [{ cadence: 'daily', scheduleId: 'daily', ...input }],
  });
}

async function save(name: string, workflowId: string, runId?: string): Promise<void> {
  const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
  const folder = fileURLToPath(new URL('./histories/', import.meta.url));
  await mkdir(folder, { recursive: true });
  await writeFile(`${folder}${name}.json`, `${anonymous(historyToJSON(history))}\n`);
}

/** Without the recording machine's paths and names. */
function anonymous(history: string): string {
  const root = fileURLToPath(new URL('../../', import.meta.url));
  return history
    .replaceAll(root, '')
    .replaceAll(`@${hostname()}`, '@recorder')
    .replaceAll(hostname(), 'recorder');
}
