import { randomUUID } from 'node:crypto';
import { describe, expect, inject, it } from 'vitest';
import { turnQuery } from '../../../workflows/messages.ts';
import { aCandidate } from '../../support/experiments.ts';
import {
  flywheelHandle,
  gateHandle,
  newTrigger,
  newWorld,
  openGate,
  trigger,
  untilTrue,
  useWorkers,
} from '../../workflows/support/bench.ts';
import { setup } from '../support/cli.ts';

type Bundle = Awaited<ReturnType<typeof setup>>;

/** Real Temporal and lineage. The fake activities write no lineage: the rows are written here. */
describe('a run whose workflow was ended from outside', () => {
  useWorkers();

  const connected = () => setup({ TEMPORAL_ADDRESS: inject('temporalAddress') });

  async function openRow({ lineage }: Bundle, runId: string, workloadId: string): Promise<void> {
    await lineage.runs.open({
      ...{ runId, workflowId: `flywheel:${workloadId}`, workloadId, plan: {} },
      ...{ reason: 'a test', requestedBy: 'vitest' },
    });
    await lineage.experiments.open(runId, {
      ...{
        experimentId: `${runId}/nano/lora`,
        role: 'challenger',
        candidate: aCandidate(),
        strategy: 'lora',
      },
    });
  }

  async function atWork() {
    const world = newWorld({ fineTune: 'hang' });
    const { runId } = newTrigger();
    await trigger(world, newTrigger({ runId }));
    await untilTrue(() => world.jobs.size > 0);
    const bundle = await connected();
    await openRow(bundle, runId, world.workloadId);
    return { ...bundle, world, runId };
  }

  it('ends for whoever watches it, with what was said at the termination', async () => {
    const { run, lineage, world, runId } = await atWork();

    const watching = run('watch', runId);
    await flywheelHandle(world).terminate('out of budget');
    const watched = await watching;
    const view = await lineage.runs.view(runId);

    expect(watched.code).toBe(1);
    expect(watched.stdout).toContain('was terminated: out of budget');
    expect(view).toMatchObject({ status: 'failed', failure: 'Its workflow was terminated: out of budget.' });
    expect(view.experiments).toMatchObject([{ status: 'cancelled' }]);
    expect(view.endedAt).not.toBeNull();
  }, 180_000);

  it('is closed by cancel, which says how it ended', async () => {
    const { run, world, runId } = await atWork();
    await flywheelHandle(world).terminate('a mistake');

    const cancelled = await run('cancel', runId, '--json');
    const again = await run('cancel', runId, '--json');

    expect(cancelled.code).toBe(0);
    expect(cancelled.json()).toEqual({
      ...{ runId, workload: world.workloadId, status: 'failed' },
      failure: 'Its workflow was terminated: a mistake.',
    });
    expect(again.json()).toMatchObject({ error: { code: 'conflict' } });
  }, 180_000);

  it('is closed without touching the run that came after it', async () => {
    const { run, lineage, world, runId } = await atWork();
    await flywheelHandle(world).terminate('a mistake');
    const later = newTrigger();
    await trigger(world, later);

    const cancelled = await run('cancel', runId, '--json');
    const turn = await flywheelHandle(world).query(turnQuery);
    const { status } = await flywheelHandle(world).describe();

    expect(cancelled.json()).toMatchObject({ runId, status: 'failed' });
    expect((await lineage.runs.view(runId)).failure).toContain(`${later.runId} is at work now`);
    expect(turn).toEqual({ running: later.runId, queued: null });
    expect(status.name).toBe('RUNNING');
    await flywheelHandle(world).terminate('test is over');
  }, 180_000);

  it('is watched to no end where Temporal does not know it, which proves nothing; cancel closes it', async () => {
    const bundle = await connected();
    const runId = `run-${randomUUID().slice(0, 13)}`;
    await openRow(bundle, runId, `w-${randomUUID().slice(0, 8)}`);

    const watched = await bundle.run('watch', runId, '--json');
    const before = await bundle.lineage.runs.view(runId);
    const cancelled = await bundle.run('cancel', runId, '--json');

    expect(watched.code).toBe(1);
    expect(watched.json()).toMatchObject({ error: { code: 'run_lost' } });
    expect(before.status).toBe('running');
    expect(cancelled.json()).toMatchObject({ runId, status: 'cancelled' });
  }, 180_000);

  it('leaves no gate pending that nobody can decide at any more', async () => {
    const bundle = await connected();
    const world = newWorld();
    const { runId, digest } = await openGate(world);
    await openRow(bundle, runId, world.workloadId);
    const { decisions } = bundle.lineage;
    await decisions.recordVerdict(
      runId,
      { outcome: 'promote', reason: 'a test', primaryMetric: 'exact_match', threshold: 0.75 },
      digest,
      null,
    );
    const expiresAt = '2030-01-01T00:00:00.000Z';
    await decisions.openGate({ runId, workloadId: world.workloadId, digest, expiresAt });
    await gateHandle(runId).terminate('cleaning up');

    const approved = await bundle.run('approve', runId, '--reason', 'x', '--json');

    expect(approved.code).toBe(1);
    expect(approved.json()).toMatchObject({
      error: {
        code: 'gate_lost',
        message: `The gate of run ${runId} was terminated: cleaning up; it counts as expired.`,
        next: `npx flywheel run ${world.workloadId} --wait`,
      },
    });
    expect((await bundle.lineage.runs.view(runId)).approval?.status).toBe('expired');
    expect(await bundle.lineage.audit.list(world.workloadId)).toMatchObject([{ action: 'gate_expired' }]);
  }, 180_000);
});
