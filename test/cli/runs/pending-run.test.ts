import { describe, expect, inject, it } from 'vitest';
import { followRun } from '../../../cli/runs/follow-run.ts';
import { turnQuery } from '../../../workflows/messages.ts';
import { flywheelId } from '../../../workflows/workflow-ids.ts';
import {
  client,
  flywheelHandle,
  messageOf,
  newTrigger,
  newWorld,
  trigger,
  untilTrue,
  useWorkers,
} from '../../workflows/support/bench.ts';
import { setup } from '../support/cli.ts';

/** The fake activities write no lineage: what these commands know, they have from the real Temporal server. */
describe('a run that has not begun', () => {
  useWorkers();

  /** Temporal lists a new workflow a moment late, and a command waits no longer than that moment. */
  async function listed({ workloadId }: { workloadId: string }): Promise<void> {
    const query = `WorkflowId = '${flywheelId(workloadId)}' AND ExecutionStatus = 'Running'`;
    await untilTrue(async () => (await client.workflow.count(query)).count > 0);
  }

  async function oneAtWorkAndOneQueued() {
    const world = newWorld({ fineTune: 'hang' });
    const [first, second] = [newTrigger(), newTrigger()];
    await trigger(world, first);
    await untilTrue(() => world.jobs.size > 0);
    await trigger(world, second);
    await listed(world);
    const cli = await setup({ TEMPORAL_ADDRESS: inject('temporalAddress') });
    return { ...cli, world, first: first.runId, second: second.runId };
  }

  it('is shown as queued behind the one at work, and is withdrawn by cancel, which leaves that one alone', async () => {
    const { run, lineage, world, first, second } = await oneAtWorkAndOneQueued();

    const shown = await run('show', second, '--json');
    const text = await run('show', second);
    const { signal } = new AbortController();
    const watching = messageOf(
      followRun({
        ...{ client, lineage, signal, workload: world.workloadId, runId: second },
        onView: () => {},
      }),
    );
    const cancelled = await run('cancel', second, '--json');
    const watched = await watching;
    const turn = await flywheelHandle(world).query(turnQuery);

    expect(shown.json()).toEqual({
      runId: second,
      workload: world.workloadId,
      status: 'queued',
      behind: first,
    });
    expect(cancelled.json()).toEqual({ runId: second, workload: world.workloadId, status: 'withdrawn' });
    expect(text.stdout).toContain(`queued behind ${first}`);
    expect(watched).toBe(`Run ${second} never began: it was withdrawn, or its workflow was ended.`);
    expect(turn).toEqual({ running: first, queued: null });
    await flywheelHandle(world).terminate('test is over');
  }, 180_000);

  it('is watched from its first row on once it was started, by its workload’s name too', async () => {
    const { run, lineage, world, first } = await oneAtWorkAndOneQueued();
    const { workloadId } = world;

    const shown = await run('show', workloadId, '--json');
    const watching = run('watch', first, '--json');
    await lineage.runs.open({
      ...{ runId: first, workflowId: `flywheel:${workloadId}`, workloadId, plan: {} },
      ...{ reason: 'a test', requestedBy: 'vitest' },
    });
    await lineage.runs.close(first, 'failed', 'a test');
    const watched = await watching;

    expect(shown.json()).toMatchObject({ runId: first, status: 'starting', behind: null });
    expect(watched.code).toBe(1);
    expect(watched.json()).toMatchObject({ runId: first, status: 'failed' });
    await flywheelHandle(world).terminate('test is over');
  }, 180_000);

  it('is cancelled as any other when it was started and has no row yet', async () => {
    const world = newWorld({ fineTune: 'hang' });
    const { runId } = await trigger(world);
    await untilTrue(() => world.jobs.size > 0);
    await listed(world);
    const { run } = await setup({ TEMPORAL_ADDRESS: inject('temporalAddress') });

    const cancelled = await run('cancel', runId, '--json');

    expect(cancelled.json()).toMatchObject({ runId, status: 'cancelled' });
    expect(await messageOf(flywheelHandle(world).result())).toBe('Workflow canceled');
    expect(world.closedRuns.get(runId)).toMatchObject({ status: 'cancelled' });
  }, 180_000);

  it('is told from a run that nobody asked for', async () => {
    const { run } = await setup({ TEMPORAL_ADDRESS: inject('temporalAddress') });

    const watched = await run('watch', 'run-20260102t030000z-ffffff');

    expect(watched.code).toBe(1);
    expect(watched.stderr).toContain('There is no run');
  }, 180_000);
});
