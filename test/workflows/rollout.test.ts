import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { retirement, rollout } from '../../workflows/index.ts';
import type { RolloutInput } from '../../workflows/messages.ts';
import { workflowQueue } from '../../workflows/task-queues.ts';
import { retirementId, rolloutId } from '../../workflows/workflow-ids.ts';
import {
  client,
  decide,
  gateHandle,
  messageOf,
  newWorld,
  openGate,
  untilTrue,
  useWorkers,
} from './support/bench.ts';
import { type FakeWorld, servingOf } from './support/fake-activities.ts';

function start(world: FakeWorld, overrides: Partial<RolloutInput> = {}) {
  const { workloadId } = world;
  const kind = 'promotion';
  return client.workflow.start<typeof rollout>('rollout', {
    workflowId: rolloutId(workloadId),
    taskQueue: workflowQueue,
    args: [
      {
        workloadId,
        moveId: randomUUID(),
        kind,
        runId: 'run-x',
        digest: 'd',
        actor: 'ada',
        reason: 'a test',
        ...overrides,
      },
    ],
  });
}

describe('a rollout', () => {
  useWorkers();

  it('moves the route and proves it', async () => {
    const world = newWorld();

    const result = await (await start(world)).result();

    expect(result).toMatchObject({ outcome: 'moved', version: 1, model: 'ft:run-x' });
    expect(world.route?.serving?.model).toBe('ft:run-x');
    expect(world.log).toEqual(['promotion moved']);
  });

  it('puts back what served before when the gateway does not show the move', async () => {
    const world = newWorld({ proof: false });
    world.move('earlier', servingOf('ft:earlier'), null);

    const result = await (await start(world)).result();

    expect(result).toMatchObject({ outcome: 'restored', version: 3, model: 'ft:earlier' });
    expect(result.reason).toMatch(/still answers by route 0/);
    expect(world.log).toEqual(['promotion restored']);
  });

  it('rolls back to what the route served before', async () => {
    const world = newWorld();
    world.move('first', servingOf('ft:first'), null);
    world.move('second', servingOf('ft:second'), servingOf('ft:first'));

    const result = await (await start(world, { kind: 'rollback' })).result();

    expect(result).toMatchObject({ outcome: 'moved', version: 3, model: 'ft:first' });
    expect(world.route?.previous?.model).toBe('ft:second');
  });

  it('never takes a rollback back, also when the gateway does not show it', async () => {
    const world = newWorld({ proof: false });
    world.move('first', servingOf('ft:bad'), null);

    const result = await (await start(world, { kind: 'rollback' })).result();

    expect(result).toMatchObject({ outcome: 'unproven', version: 2, model: null });
    expect(result.reason).toMatch(/still answers by route 0/);
    expect(world.route?.serving).toBeNull();
    expect(world.log).toEqual(['rollback unproven']);
  });

  it('leaves a rollback where it is when it is cancelled in its proof', async () => {
    const world = newWorld({ proof: 'hang' });
    world.move('first', servingOf('ft:bad'), null);
    const rollback = await start(world, { kind: 'rollback' });
    await untilTrue(() => world.route?.version === 2);

    await rollback.cancel();

    expect(await rollback.result()).toMatchObject({ outcome: 'unproven', version: 2, model: null });
    expect(world.route).toMatchObject({ version: 2, serving: null });
  });

  it('takes a promotion back that is cancelled in its proof', async () => {
    const world = newWorld({ proof: 'hang' });
    const promotion = await start(world);
    await untilTrue(() => world.route?.version === 1);

    await promotion.cancel();

    expect(await messageOf(promotion.result())).toBe('Workflow canceled');
    expect(world.route).toMatchObject({ version: 2, serving: null });
  });

  it('says so when there is nothing to roll back to', async () => {
    const world = newWorld();

    const message = await messageOf((await start(world, { kind: 'rollback' })).result());

    expect(message).toContain('nothing can be rolled back');
    expect(world.route).toBeNull();
  });

  it('never runs twice at a time for one workload', async () => {
    const world = newWorld();
    const first = await start(world);

    const second = await messageOf(start(world));

    expect(second).toMatch(/already (started|running)/i);
    await first.result();
  });

  it('of an approval waits for the move that is under way', async () => {
    const world = newWorld();
    const run = await openGate(world);
    // Something that holds the route's id for a while.
    const other = await client.workflow.start('approvalGate', {
      workflowId: rolloutId(world.workloadId),
      taskQueue: 'nobody-polls-this',
      args: [],
    });
    setTimeout(() => void other.terminate('the other move has ended'), 2_500);

    await decide(run);
    const { rollout: begun } = await gateHandle(run.runId).result();

    const moved = await client.workflow.getHandle(rolloutId(world.workloadId), begun?.executionId).result();
    expect(moved).toMatchObject({ outcome: 'moved', model: `ft:${run.runId}` });
  });

  it('has what it moves to deployed first, and gives back what the route has left', async () => {
    const world = newWorld({ deployment: 'ready' });

    await (await start(world)).result();

    expect(world.deployed).toEqual([`route:${world.workloadId} ft:run-x`]);
    expect(world.route?.serving?.model).toBe('ft:run-x');
    expect(world.released).toEqual([`route:${world.workloadId}`]);
  });

  it('leaves a workflow behind that gives back what is kept for a while, and looks again where more was', async () => {
    const world = newWorld({ deployment: 'ready', kept: [5_000, 500] });
    const moveId = randomUUID();

    const result = await (await start(world, { moveId })).result();
    const givenBack = [...world.released];
    const retired = await client.workflow.getHandle<typeof retirement>(retirementId(moveId)).result();

    expect(result.outcome).toBe('moved');
    expect(givenBack).toEqual([`route:${world.workloadId}`]);
    expect(retired).toEqual({ workloadId: world.workloadId, removed: ['ft:left'] });
    expect(world.released).toHaveLength(3);
  });

  it('leaves it behind as well when it is cancelled, and keeps no other move waiting', async () => {
    const world = newWorld({ deployment: 'ready', proof: 'hang', kept: [3_600_000] });
    const moveId = randomUUID();
    const promotion = await start(world, { moveId });
    await untilTrue(() => world.route?.version === 1);

    await promotion.cancel();
    await messageOf(promotion.result());
    world.behaviour.proof = true;
    const next = await (await start(world)).result();

    const left = client.workflow.getHandle<typeof retirement>(retirementId(moveId));
    expect((await left.describe()).status.name).toBe('RUNNING');
    expect(next.outcome).toBe('moved');
    await left.terminate('test is over');
  });

  it('of which nothing could be given back tries again later', async () => {
    const world = newWorld({ deployment: 'ready', kept: [new Error('the cluster is away')] });
    const moveId = randomUUID();

    const result = await (await start(world, { moveId })).result();

    const left = client.workflow.getHandle<typeof retirement>(retirementId(moveId));
    expect(result.outcome).toBe('moved');
    expect((await left.describe()).status.name).toBe('RUNNING');
    await left.terminate('test is over');
  });

  it('moves nothing to a model that cannot be deployed', async () => {
    const world = newWorld({ deployment: new Error('insufficient GPUs') });

    await expect((await start(world)).result()).rejects.toMatchObject({
      cause: { message: 'insufficient GPUs' },
    });

    expect(world.route).toBeNull();
    expect(world.log).toEqual(['promotion not_deployed']);
    expect(world.released).toEqual([`route:${world.workloadId}`]);
  });

  it('says as well that it moved nothing when it is cancelled while its model is deployed', async () => {
    const world = newWorld({ deployment: 'hang' });
    const promotion = await start(world);
    await untilTrue(() => world.deployed.length > 0);

    await promotion.cancel();

    expect(await messageOf(promotion.result())).toBe('Workflow canceled');
    expect(world.route).toBeNull();
    expect(world.log).toEqual(['promotion not_deployed']);
  });

  it('rolls back all the same when what it goes back to cannot be deployed', async () => {
    const world = newWorld({ deployment: new Error('insufficient GPUs') });
    world.move('first', servingOf('ft:first'), null);
    world.move('second', servingOf('ft:second'), servingOf('ft:first'));

    const result = await (await start(world, { kind: 'rollback' })).result();

    expect(result).toMatchObject({ outcome: 'moved', model: 'ft:first' });
    expect(world.log).toEqual(['rollback moved']);
  });
});
