import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { describe, expect, inject, it } from 'vitest';
import { temporalCacheDir } from '../../cli/setup/cache.ts';
import { findTemporal } from '../../cli/setup/find-temporal.ts';
import {
  approveSignal,
  type DecideInput,
  decideUpdate,
  gateQuery,
  rejectSignal,
} from '../../workflows/messages.ts';
import { gateId } from '../../workflows/workflow-ids.ts';
import { aPolicy } from '../support/policies.ts';
import {
  askGate,
  client,
  decide,
  decision,
  gateHandle,
  messageOf,
  newTrigger,
  newWorld,
  openGate,
  rolloutHandle,
  runOnce,
  untilTrue,
  useWorkers,
} from './support/bench.ts';

describe('the approval gate', () => {
  useWorkers();

  it('takes an approval by update, records it and starts the rollout', async () => {
    const world = newWorld();
    const run = await openGate(world);

    const result = await decide(run, { actor: 'ada', reason: 'as good as before' });

    expect(result).toEqual({
      status: 'approved',
      runId: run.runId,
      rollout: { workflowId: `rollout:${world.workloadId}`, executionId: expect.any(String) },
    });
    expect(world.gates.get(run.runId)).toMatchObject({
      status: 'approved',
      decision: { actor: 'ada', actorSource: 'local' },
    });
    const moved = await rolloutHandle(`rollout:${world.workloadId}`).result();
    expect(moved).toMatchObject({ outcome: 'moved', version: 1, model: `ft:${run.runId}` });
  });

  it('lets nobody decide but the approvers of the policy that the run pinned', async () => {
    const world = newWorld({ policy: aPolicy({ approvers: ['ana', 'bo'] }) });
    const run = await runOnce(world);

    const refused = await messageOf(decide(run, { actor: 'eve' }));
    await gateHandle(run.runId).signal(approveSignal, { digest: run.digest, actor: 'eve' });
    await untilTrue(() => world.refusals.length > 0);
    const taken = await decide(run, { actor: 'bo', outcome: 'reject' });

    expect(refused).toBe("eve may not decide here: the workload's policy names ana, bo.");
    expect(world.refusals).toEqual([refused]);
    expect(taken.status).toBe('rejected');
  });

  it('takes a rejection, and moves nothing', async () => {
    const world = newWorld();
    const run = await openGate(world);

    const result = await decide(run, { outcome: 'reject' });

    expect(result).toEqual({ status: 'rejected', runId: run.runId });
    expect(await gateHandle(run.runId).result()).toMatchObject({ status: 'rejected' });
    expect(world.route).toBeNull();
  });

  it('answers the same decision again with its first answer, and another one with a refusal', async () => {
    const world = newWorld();
    const run = await openGate(world);
    const approval = { args: [decision(run)] as [DecideInput], updateId: randomUUID() };

    const first = await gateHandle(run.runId).executeUpdate(decideUpdate, approval);
    const again = await gateHandle(run.runId).executeUpdate(decideUpdate, approval);
    const late = await messageOf(decide(run, { outcome: 'reject' }));

    expect(again).toEqual(first);
    expect(late).toMatch(/closed: approved|already completed/);
    await rolloutHandle(`rollout:${world.workloadId}`).result();
    expect(world.moves.size).toBe(1);
  });

  it.each([
    ['a stale digest', { digest: 'digest-of-yesterday' }, /about evidence digest-of-ye/],
    ['no reason', { reason: '  ' }, /needs a reason/],
    ['no name', { actor: '' }, /needs the name/],
    ['an unknown outcome', { outcome: 'maybe' as 'approve' }, /must be "approve" or "reject"/],
  ])('refuses %s, and waits on', async (_, flaw, reason) => {
    const world = newWorld();
    const run = await openGate(world);

    const message = await messageOf(decide(run, flaw));

    expect(message).toMatch(reason);
    expect(await gateHandle(run.runId).query(gateQuery)).toMatchObject({ status: 'pending' });
    await gateHandle(run.runId).cancel();
  });

  it('refuses to promote against the verdict, unless somebody overrides it with a reason', async () => {
    const world = newWorld({ verdict: 'hold' });
    const run = await openGate(world);

    const message = await messageOf(decide(run));
    const result = await decide(run, { override: true, reason: 'the old model is switched off tomorrow' });

    expect(message).toMatch(/verdict is hold.*needs an override/);
    expect(result.status).toBe('approved');
    expect(world.gates.get(run.runId)?.decision?.override).toBe(true);
  });

  it('takes signals, and audits those that it ignores', async () => {
    const world = newWorld();
    const run = await openGate(world);
    const gate = gateHandle(run.runId);

    await gate.signal(approveSignal, { digest: 'stale', actor: 'bob', reason: 'why not' });
    await gate.signal(rejectSignal, 'nonsense' as never);
    // As little as somebody at Temporal's own CLI types.
    await gate.signal(approveSignal, { digest: run.digest, actor: 'bob' });

    expect(await gate.result()).toMatchObject({
      status: 'approved',
      decision: { actor: 'bob', actorSource: 'signal', reason: 'by signal, no reason given' },
    });
    expect(world.refusals).toHaveLength(2);
    expect(world.refusals[0]).toMatch(/about evidence stale/);
  });

  it('can be decided by the plain Temporal CLI as its current details say', async () => {
    const world = newWorld();
    const run = await openGate(world);
    const details = await currentDetails(run.runId);
    expect(details).toContain('The traffic is synthetic.');

    const command = details
      .split('\n')
      .find((line) => line.includes('workflow signal') && line.includes('--name approve'));
    await temporal(command ?? '');

    expect(details).toContain('| nano × lora | 90.0 % |');
    expect(await gateHandle(run.runId).result()).toMatchObject({
      status: 'approved',
      decision: { actor: 'YOUR NAME' },
    });
  });

  it('can be decided by an update of the plain Temporal CLI', async () => {
    const world = newWorld({ verdict: 'hold' });
    const run = await openGate(world);
    const details = await currentDetails(run.runId);

    const command = details.split('\n').find((line) => line.includes('workflow update execute'));
    await temporal(command ?? '');

    expect(await gateHandle(run.runId).result()).toMatchObject({
      status: 'approved',
      decision: { override: true },
    });
  });

  it('knows a decision by its update, and its source by nothing that was sent', async () => {
    const world = newWorld();
    const run = await openGate(world);
    const forged = { ...decision(run), id: 'mine', actorSource: 'token' };

    await gateHandle(run.runId).executeUpdate(decideUpdate, { args: [forged], updateId: 'update-7' });

    expect(world.gates.get(run.runId)?.decision).toMatchObject({ id: 'update-7', actorSource: 'local' });
  });

  it('tells whoever approves while another move is under way, and says later which one was theirs', async () => {
    const world = newWorld();
    const run = await openGate(world);
    const other = await client.workflow.start('approvalGate', {
      workflowId: `rollout:${world.workloadId}`,
      taskQueue: 'nobody-polls-this',
      args: [],
    });

    const result = await decide(run);
    await other.terminate('the other move has ended');
    const { rollout } = await gateHandle(run.runId).result();

    expect(result).toEqual({ status: 'approved', runId: run.runId });
    expect(rollout?.executionId).not.toBe(other.firstExecutionRunId);
    const moved = await client.workflow.getHandle(rollout?.workflowId ?? '', rollout?.executionId).result();
    expect(moved).toMatchObject({ outcome: 'moved', model: `ft:${run.runId}` });
  });

  it('takes a name with a NUL, which no database could hold, without it', async () => {
    const world = newWorld();
    const run = await openGate(world);

    await gateHandle(run.runId).signal(approveSignal, { digest: run.digest, actor: 'bob\0', reason: 'ok\0' });

    expect(await gateHandle(run.runId).result()).toMatchObject({ decision: { actor: 'bob', reason: 'ok' } });
  });

  it('goes on when a refusal cannot be written down', async () => {
    const world = newWorld({ auditFails: true });
    const run = await openGate(world);
    await gateHandle(run.runId).signal(approveSignal, { digest: 'stale', actor: 'bob' });

    const result = await decide(run, { outcome: 'reject' });

    expect(result.status).toBe('rejected');
    expect(await gateHandle(run.runId).result()).toMatchObject({ status: 'rejected' });
  });

  it('reminds, and takes silence for a no', async () => {
    const world = newWorld({ gateTtlMs: 10_000, remindEveryMs: 500 });

    const run = await openGate(world);
    const result = await gateHandle(run.runId).result();

    expect(result).toEqual({ runId: run.runId, status: 'expired' });
    expect(world.reminders).toBeGreaterThanOrEqual(1);
    expect(world.gates.get(run.runId)?.status).toBe('expired');
    expect(world.route).toBeNull();
    expect(await messageOf(decide(run))).toMatch(/already completed|not found/i);
  });

  it('closes when a newer verdict is out', async () => {
    const world = newWorld();
    const [older, newer] = [newTrigger(), newTrigger()];
    const first = await runOnce(world, older);

    const second = await runOnce(world, newer);

    expect(await gateHandle(first.runId).result()).toEqual({ runId: first.runId, status: 'superseded' });
    expect(world.gates.get(first.runId)).toMatchObject({ status: 'superseded', byRunId: second.runId });
    expect(await askGate(second.runId, gateQuery)).toMatchObject({ status: 'pending' });
    await gateHandle(second.runId).cancel();
  });

  it('is closed in the lineage by the next run when somebody terminated it', async () => {
    const world = newWorld();
    const first = await runOnce(world);
    await gateHandle(first.runId).terminate('an operator');

    const second = await runOnce(world);

    expect(world.gates.get(first.runId)?.status).toBe('superseded');
    await gateHandle(second.runId).cancel();
  });

  it('takes its cancellation for a no', async () => {
    const world = newWorld();
    const run = await openGate(world);

    await gateHandle(run.runId).cancel();

    expect(await gateHandle(run.runId).result()).toMatchObject({ status: 'expired' });
    expect(world.gates.get(run.runId)?.status).toBe('expired');
  });

  it('shows what waits for a person by one query', async () => {
    const world = newWorld();
    const run = await openGate(world);
    const waiting = async () => {
      const ids: string[] = [];
      const query = `FlywheelWaiting = true AND FlywheelWorkload = '${world.workloadId}'`;
      for await (const workflow of client.workflow.list({ query })) ids.push(workflow.workflowId);
      return ids;
    };

    await untilTrue(async () => (await waiting()).includes(gateId(run.runId)));
    await decide(run, { outcome: 'reject' });

    await untilTrue(async () => (await waiting()).length === 0);
  });
});

async function currentDetails(runId: string): Promise<string> {
  const metadata = await askGate<{ currentDetails?: string }>(runId, '__temporal_workflow_metadata');
  return metadata.currentDetails ?? '';
}

/** Runs a command line as a person would paste it. */
async function temporal(command: string): Promise<void> {
  const { path } = await findTemporal({ cacheDir: temporalCacheDir(), onProgress: () => {} });
  const line = command.replace(/^temporal /, `'${path}' `);
  await promisify(execFile)('/bin/sh', ['-c', line], {
    env: { ...process.env, TEMPORAL_ADDRESS: inject('temporalAddress') },
  });
}
