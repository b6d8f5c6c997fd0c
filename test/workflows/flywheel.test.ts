import { describe, expect, it } from 'vitest';
import { noGuardrails } from '../../domain/guardrails/guardrails.ts';
import { withdrawSignal } from '../../workflows/messages.ts';
import { aPolicy } from '../support/policies.ts';
import {
  client,
  flywheelHandle,
  gateHandle,
  messageOf,
  newTrigger,
  newWorld,
  runOnce,
  trigger,
  untilTrue,
  useWorkers,
} from './support/bench.ts';
import type { FakeWorld } from './support/fake-activities.ts';

describe('the flywheel', () => {
  useWorkers();

  it('makes one more run of ten triggers that come while one is open, over all that any of them asked for', async () => {
    const world = newWorld({ snapshot: 'hang' });
    const first = newTrigger();
    await trigger(world, first);
    await untilTrue(() => world.runIds.has(first.runId));

    const receipts = await Promise.all(
      Array.from({ length: 10 }, (_, n) =>
        trigger(
          world,
          newTrigger({
            snapshotKind: n === 4 ? 'deep' : 'incremental',
            strategies: [n < 5 ? 'base' : 'icl'],
          }),
        ),
      ),
    );
    Object.assign(world.behaviour, { snapshot: 'quick' });
    await flywheelHandle(world).cancel();
    await untilTrue(() => world.closedRuns.size === 2);

    const [one] = receipts;
    expect(receipts.every(({ runId, state }) => runId === one?.runId && state === 'queued')).toBe(true);
    expect([...world.runIds]).toEqual([first.runId, one?.runId]);
    expect([...world.closedRuns].map(([, { status }]) => status)).toEqual(['cancelled', 'completed']);
    expect(world.plans.get(one?.runId ?? '')?.experiments.map(({ strategy }) => strategy)).toEqual([
      'base',
      'icl',
    ]);
  });

  it('goes from a trigger to a verdict and leaves an open gate behind', async () => {
    const world = newWorld();
    const request = newTrigger();

    const result = await runOnce(world, request);

    expect(result).toMatchObject({ runId: request.runId, outcome: 'promote', winner: 'nano × lora' });
    expect(world.closedRuns.get(request.runId)).toEqual({ status: 'completed' });
    expect(world.reports.map((report) => report.status)).toEqual(['succeeded', 'succeeded', 'succeeded']);
    expect(await gateHandle(request.runId).describe()).toMatchObject({ status: { name: 'RUNNING' } });
    await gateHandle(request.runId).cancel();
  });

  it('measures on when one experiment fails, and says why that one did', async () => {
    const world = newWorld({
      score: (strategy) => (strategy === 'icl' ? new Error('prompt too long') : 0.8),
    });

    const result = await runOnce(world);

    expect(result.outcome).toBe('promote');
    const failed = world.reports.filter((report) => report.status === 'failed');
    expect(failed).toMatchObject([
      { strategy: 'icl', failure: { stage: 'evaluating', reason: 'prompt too long' } },
    ]);
  });

  it('holds the answers against the guardrails of the plan; where it cannot, safety is unknown and nothing is lost', async () => {
    const policy = aPolicy({ guardrails: { ...noGuardrails, answers: { card: '4111' } } });
    const checked = newWorld({ policy, safety: () => 7 });
    const unchecked = newWorld({ policy, safety: () => new Error('guardrails are out') });
    const plain = newWorld({ safety: () => new Error('is never asked') });

    await Promise.all([runOnce(checked), runOnce(unchecked), runOnce(plain)]);

    for (const { safety } of checked.reports)
      expect(safety).toMatchObject({ n: 10, passed: 7, blocked: { 'answers.card': 3 } });
    for (const report of unchecked.reports)
      expect(report).toMatchObject({
        ...{ status: 'succeeded', evaluation: { n: 30 } },
        safety: { status: 'unknown', reason: 'guardrails are out' },
      });
    for (const report of plain.reports) expect(report).not.toHaveProperty('safety');
    expect([checked, unchecked, plain].map(({ reports }) => reports.length)).toEqual([3, 3, 3]);
  });

  it('a cancellation reaches the check of safety, and ends the run as cancelled', async () => {
    const policy = aPolicy({ guardrails: noGuardrails });
    const world = newWorld({ policy, safety: () => 'hang' });
    const request = newTrigger({ strategies: ['base'] });
    await trigger(world, request);
    await untilTrue(() => world.log.some((line) => line.startsWith('check ')));

    await flywheelHandle(world).cancel();

    await untilTrue(() => world.closedRuns.has(request.runId));
    expect(world.closedRuns.get(request.runId)?.status).toBe('cancelled');
    expect(world.reports).toEqual([]);
  });

  it('has a judge score the answers where the policy names one, and goes on without where it fails', async () => {
    const judge = { provider: 'cloud', model: 'large', rubric: 'Be right.' };
    const policy = aPolicy({ judge });
    const judged = newWorld({ policy, judge: 0.8 });
    const unjudged = newWorld({ policy, judge: new Error('no credit') });

    await Promise.all([runOnce(judged), runOnce(unjudged)]);

    expect(judged.reports.map((report) => report.evaluation?.judge?.score)).toEqual([0.8, 0.8, 0.8]);
    expect(unjudged.reports[0]).toMatchObject({
      status: 'succeeded',
      evaluation: { judge: { score: null, n: 30, failed: 30, failures: { provider_error: 30 } } },
    });
    const judgings = [...unjudged.jobs].filter(([job]) => job.endsWith(' judging'));
    expect(judgings.map(([, status]) => status)).toEqual(['cancelled', 'cancelled', 'cancelled']);
  });

  it('fails when every experiment failed, and opens no gate', async () => {
    const world = newWorld({ score: () => new Error('model is gone') });
    const request = newTrigger();

    const message = await messageOf(runOnce(world, request));

    expect(message).toContain('Every experiment failed: nano × base: model is gone');
    expect(world.closedRuns.get(request.runId)).toMatchObject({ status: 'failed' });
    expect(world.gates.size).toBe(0);
  });

  it('fails, and says so, when nothing fits the context of any candidate', async () => {
    const world = newWorld({
      score: () => new Error('None of the 30 items fits into the context of nano-1m'),
    });
    const request = newTrigger();

    const message = await messageOf(runOnce(world, request));

    expect(message).toContain('nano × icl: None of the 30 items fits into the context of nano-1m');
    expect(world.reports.map((report) => report.status)).toEqual(['failed', 'failed', 'failed']);
    expect(world.reports.every((report) => report.evaluation === null)).toBe(true);
    expect(world.closedRuns.get(request.runId)).toEqual({ status: 'failed', failure: message });
  });

  it('counts an experiment that an operator terminated as failed, and goes on', async () => {
    const world = newWorld({ fineTune: 'hang' });
    const request = newTrigger();
    await trigger(world, request);
    await untilTrue(() => world.jobs.size > 0);

    await client.workflow
      .getHandle(`flywheel:${world.workloadId}/${request.runId}/nano/lora`)
      .terminate('an operator');
    const result = await flywheelHandle(world).result();

    expect(result.winner).toBe('nano × icl');
    expect(world.reports.filter((report) => report.status === 'failed')).toMatchObject([
      { strategy: 'lora' },
    ]);
    // The activity hears at its next heartbeat that nobody waits for it any more.
    await untilTrue(() => world.jobs.get(`${request.runId}/nano/lora`) === 'cancelled');
  });

  it('ends a second job of a training that succeeded', async () => {
    const world = newWorld({ fineTune: 'twice' });

    const { runId } = await runOnce(world, newTrigger({ strategies: ['lora'] }));

    const lora = `${runId}/nano/lora`;
    expect(Object.fromEntries(world.jobs)).toEqual({ [lora]: 'succeeded', [`${lora} surplus`]: 'cancelled' });
  });

  it('ends what an experiment that was terminated left at its evaluator', async () => {
    const world = newWorld({ evaluate: 'die' });
    const request = newTrigger({ strategies: ['base'] });
    await trigger(world, request);
    await untilTrue(() => world.jobs.size > 0);

    await client.workflow
      .getHandle(`flywheel:${world.workloadId}/${request.runId}/nano/base`)
      .terminate('an operator');
    await messageOf(flywheelHandle(world).result());

    expect([...world.jobs.values()]).toEqual(['cancelled']);
  });

  describe('gives back what it had deployed', () => {
    it('after its verdict', async () => {
      const world = newWorld({ deployment: 'ready' });

      const { runId } = await runOnce(world);

      expect(world.deployed).toHaveLength(3);
      expect(world.released).toEqual([`run:${runId}`]);
    });

    it('when nothing could be deployed', async () => {
      const world = newWorld({ deployment: new Error('insufficient GPUs') });

      await expect(runOnce(world)).rejects.toThrow();

      expect(world.released).toHaveLength(1);
    });

    it('when it is cancelled in training', async () => {
      const world = newWorld({ deployment: 'ready', fineTune: 'hang' });
      await trigger(world);
      await untilTrue(() => [...world.jobs.values()].includes('running'));

      await flywheelHandle(world).cancel();

      await expect(flywheelHandle(world).result()).rejects.toThrow();
      expect(world.released).toHaveLength(1);
    });
  });

  it('fails at once, with the reason, on a candidate that nobody configured', async () => {
    const world = newWorld();
    const request = newTrigger({ candidates: ['ghost'] });

    const message = await messageOf(runOnce(world, request));

    expect(message).toContain('Unknown candidate ghost');
    expect(world.closedRuns.get(request.runId)).toEqual({ status: 'failed', failure: message });
  });

  it('refuses a malformed trigger without leaving a run', async () => {
    const world = newWorld();

    const message = await messageOf(trigger(world, newTrigger({ evalSize: -3 })));

    expect(message).toContain('evalSize is -3');
    expect(world.log).toEqual([]);
    await flywheelHandle(world).terminate('test is over');
  });

  it('hands the reason of a failed step on', async () => {
    const world = newWorld({ snapshot: new Error('There are no records of workload "x" yet') });

    const message = await messageOf(runOnce(world));

    expect(message).toBe('There are no records of workload "x" yet');
  });

  describe('cancelled', () => {
    it('in its snapshot, is closed as cancelled', async () => {
      const world = newWorld({ snapshot: 'hang' });
      const request = newTrigger();
      await trigger(world, request);
      await untilTrue(() => world.log.length > 0);

      await flywheelHandle(world).cancel();

      expect(await messageOf(flywheelHandle(world).result())).toBe('Workflow canceled');
      expect(world.closedRuns.get(request.runId)).toMatchObject({ status: 'cancelled' });
    });

    it('in training, waits until the job has ended', async () => {
      const world = newWorld({ fineTune: 'hang' });
      const request = newTrigger();
      await trigger(world, request);
      await untilTrue(() => world.jobs.size > 0);

      await flywheelHandle(world).cancel();
      await messageOf(flywheelHandle(world).result());

      expect([...world.jobs.values()]).toEqual(['cancelled']);
      expect(world.closedRuns.get(request.runId)).toMatchObject({ status: 'cancelled' });
      expect(world.gates.size).toBe(0);
      const { status } = await flywheelHandle(world).describe();
      expect(status.name).toBe('CANCELLED');
    });
  });

  describe('cancelled at a bad moment', () => {
    it('in training whose worker is dead, ends the job all the same', async () => {
      const world = newWorld({ fineTune: 'die' });
      const request = newTrigger();
      await trigger(world, request);
      await untilTrue(() => world.jobs.size > 0);

      await flywheelHandle(world).cancel();
      await messageOf(flywheelHandle(world).result());

      expect([...world.jobs.values()]).toEqual(['cancelled']);
    });

    it('in evaluation whose worker is dead, ends its jobs all the same', async () => {
      const world = newWorld({ evaluate: 'die' });
      const request = newTrigger({ strategies: ['base', 'icl'] });
      await trigger(world, request);
      await untilTrue(() => world.jobs.size === 2);

      await flywheelHandle(world).cancel();
      await messageOf(flywheelHandle(world).result());

      expect([...world.jobs.values()]).toEqual(['cancelled', 'cancelled']);
    });

    it('while its gate opens, completes: no gate is left without a row, no row without a gate', async () => {
      const world: FakeWorld = newWorld({
        onOpenGate: () =>
          flywheelHandle(world)
            .cancel()
            .then(() => {}),
      });
      const request = newTrigger();

      const result = await runOnce(world, request);

      expect(result.gateWorkflowId).toBe(`gate:${request.runId}`);
      expect(world.closedRuns.get(request.runId)).toEqual({ status: 'completed' });
      expect(await gateHandle(request.runId).describe()).toMatchObject({ status: { name: 'RUNNING' } });
      await gateHandle(request.runId).cancel();
    });
  });

  describe('triggered while it runs', () => {
    it('makes one more run of all of them', async () => {
      const world = newWorld({ fineTune: 'hang' });
      const [first, second, third] = [
        newTrigger(),
        newTrigger({ strategies: ['base'] }),
        newTrigger({ strategies: ['icl'] }),
      ];
      const receipts = [await trigger(world, first), await trigger(world, first)];
      await untilTrue(() => world.jobs.size > 0);

      receipts.push(await trigger(world, second), await trigger(world, third));
      await client.workflow
        .getHandle(`flywheel:${world.workloadId}/${first.runId}/nano/lora`)
        .terminate('let it end');
      await untilTrue(() => world.closedRuns.has(second.runId));

      expect(receipts).toEqual([
        { runId: first.runId, state: 'started' },
        { runId: first.runId, state: 'started' },
        { runId: second.runId, state: 'queued' },
        { runId: second.runId, state: 'queued' },
      ]);
      expect([...world.plans.keys()]).toEqual([first.runId, second.runId]);
      // Everything that either of the coalesced ones asked to try.
      expect(world.plans.get(second.runId)?.experiments.map((spec) => spec.strategy)).toEqual([
        'base',
        'icl',
      ]);
    });

    it('goes on with the next run after this one was cancelled', async () => {
      const world = newWorld({ fineTune: 'hang' });
      const [first, second] = [newTrigger(), newTrigger({ strategies: ['base'] })];
      await trigger(world, first);
      await untilTrue(() => world.jobs.size > 0);
      await trigger(world, second);

      await flywheelHandle(world).cancel();
      await untilTrue(() => world.closedRuns.has(second.runId));

      expect(world.closedRuns.get(first.runId)?.status).toBe('cancelled');
      expect(world.closedRuns.get(second.runId)?.status).toBe('completed');
    });

    it('forgets a queued run that was withdrawn', async () => {
      const world = newWorld({ fineTune: 'hang' });
      const [first, second] = [newTrigger(), newTrigger()];
      await trigger(world, first);
      await untilTrue(() => world.jobs.size > 0);
      await trigger(world, second);

      await flywheelHandle(world).signal(withdrawSignal, { runId: second.runId });
      await flywheelHandle(world).cancel();
      await messageOf(flywheelHandle(world).result());

      expect([...world.plans.keys()]).toEqual([first.runId]);
    });
  });

  it('can be found by workload, stage and verdict', async () => {
    const world = newWorld();
    await runOnce(world);

    const found: string[] = [];
    await untilTrue(async () => {
      found.length = 0;
      const query = `FlywheelWorkload = '${world.workloadId}' AND FlywheelStage = 'done' AND FlywheelVerdict = 'promote'`;
      for await (const workflow of client.workflow.list({ query })) found.push(workflow.workflowId);
      return found.includes(`flywheel:${world.workloadId}`);
    });

    expect(found).toContain(`flywheel:${world.workloadId}`);
  });
});
