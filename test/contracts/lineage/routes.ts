import { expect, it } from 'vitest';
import type { Lineage } from '../../../activities/ports/lineage.ts';
import { approvedRun, aRun, aServing } from '../../support/lineage.ts';

type Move = Parameters<Lineage['routes']['move']>[0];

export function routeCases(lineage: () => Lineage): void {
  it('has no route where none was made', async () => {
    expect(await lineage().routes.get('hr')).toBeNull();
    expect(await lineage().routes.findMove('m1')).toBeNull();
    expect(await lineage().routes.all()).toEqual([]);
  });

  it('moves a route and remembers what was served before', async () => {
    const { routes } = lineage();

    const first = await routes.move(aMove('m1', 'model-a'));
    const second = await routes.move(aMove('m2', 'model-b'));

    expect(first).toMatchObject({
      workloadId: 'hr',
      version: 1,
      serving: aServing('model-a'),
      previous: null,
    });
    expect(second).toMatchObject({ version: 2, serving: aServing('model-b'), previous: aServing('model-a') });
    expect(second.since).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    expect(await routes.get('hr')).toEqual(second);
    expect(await routes.findMove('m1')).toEqual(first);
  });

  it('makes a move once, even at once, and even after later moves', async () => {
    const { routes } = lineage();

    const made = await Promise.all(Array.from({ length: 5 }, () => routes.move(aMove('m1', 'model-a'))));
    await routes.move(aMove('m2', 'model-b'));
    const again = await routes.move(aMove('m1', 'model-a'));

    expect(made.every((route) => route.version === 1)).toBe(true);
    expect(again).toEqual(made[0]);
    expect((await routes.get('hr'))?.version).toBe(2);
  });

  it('gives moves that race a version each', async () => {
    const { routes } = lineage();

    const made = await Promise.all(['a', 'b', 'c', 'd'].map((name) => routes.move(aMove(name, name))));

    expect(made.map((route) => route.version).sort()).toEqual([1, 2, 3, 4]);
  });

  it('refuses to move a route that moved meanwhile', async () => {
    const { routes } = lineage();
    await routes.move({ ...aMove('m1', 'model-a'), expectedVersion: 0 });

    await expect(routes.move({ ...aMove('m2', 'model-b'), expectedVersion: 0 })).rejects.toMatchObject({
      name: 'ConflictError',
      message: expect.stringContaining('version 1'),
    });

    expect((await routes.get('hr'))?.serving?.model).toBe('model-a');
    expect(await routes.move({ ...aMove('m3', 'model-b'), expectedVersion: 1 })).toMatchObject({
      version: 2,
    });
  });

  it('rolls back to the original', async () => {
    const { routes } = lineage();
    await routes.move(aMove('m1', 'model-a'));

    await routes.move({ ...aMove('m2', 'x'), serving: null, kind: 'rollback' });

    expect(await routes.get('hr')).toMatchObject({
      version: 2,
      serving: null,
      previous: aServing('model-a'),
      digest: null,
    });
  });

  it('goes back to the evidence of a model together with the model', async () => {
    const { routes, runs } = lineage();
    await runs.open(aRun('run-1'));
    await runs.open(aRun('run-2'));
    await routes.move({ ...aMove('m1', 'model-a'), digest: 'd1', runId: 'run-1' });
    await routes.move({ ...aMove('m2', 'model-b'), digest: 'd2', runId: 'run-2' });

    const back = await routes.move({ ...aMove('m3', 'model-a'), kind: 'rollback' });

    expect(back).toMatchObject({ version: 3, digest: 'd1', runId: 'run-1', previous: aServing('model-b') });
    expect((await runs.view('run-1')).route).toMatchObject({ version: 3, model: 'model-a', live: true });
    expect((await runs.view('run-2')).route).toMatchObject({ version: 2, model: 'model-b', live: false });
  });

  it('never keeps a model to go back to that a restore took away', async () => {
    const { routes } = lineage();
    await routes.move(aMove('m1', 'model-a'));
    await routes.move(aMove('m2', 'model-b'));
    await routes.move(aMove('m3', 'unproven'));

    const restored = await routes.move({ ...aMove('m4', 'model-b'), kind: 'restore' });

    expect(restored).toMatchObject({
      version: 4,
      serving: aServing('model-b'),
      previous: aServing('model-a'),
    });
  });

  it('lists every route', async () => {
    const { routes } = lineage();
    await routes.move({ ...aMove('m2', 'model-b'), workloadId: 'it' });
    await routes.move(aMove('m1', 'model-a'));

    expect((await routes.all()).map((route) => route.workloadId)).toEqual(['hr', 'it']);
  });

  it('walks from a route to the records its model learned from', async () => {
    const { digest, serving } = await approvedRun(lineage(), 'run-1');
    await lineage().routes.move({ ...aMove('m1', 'x'), serving, digest, runId: 'run-1' });

    expect(await lineage().routes.trace('hr')).toEqual({
      workload: 'hr',
      route: { version: 1, model: serving.model, since: expect.any(String), digest },
      approval: { actor: 'grace', reason: 'looks right', at: expect.any(String), override: false },
      run: { runId: 'run-1', startedAt: expect.any(String), verdict: 'promote' },
      experiment: { candidate: 'nano', strategy: 'lora', evaluationId: 'eval-run-1/nano/lora' },
      adapter: { model: serving.model, baseModel: 'nano-1m', jobId: 'ftjob-run-1', key: 'run-1-key' },
      dataset: {
        ...{ id: 'data-run-1', hash: 'a'.repeat(64), snapshotId: 'snap-run-1' },
        manifest: `artifact:sha256/${'1'.repeat(64)}`,
        dropped: { duplicate: 4 },
      },
      records: { train: ['rec_1'], validation: ['rec_2'], eval: ['rec_3'] },
    });
  });

  it('walks as far as there is something, and says when there is nothing', async () => {
    const { routes } = lineage();
    await routes.move(aMove('m1', 'set-by-hand'));

    expect(await routes.trace('hr')).toMatchObject({
      route: { model: 'set-by-hand' },
      run: null,
      adapter: null,
      dataset: null,
    });
    await expect(routes.trace('nobody')).rejects.toMatchObject({ name: 'NotFoundError' });
  });

  it('writes an audit entry once and lists the newest first', async () => {
    const { audit } = lineage();
    const entry = { actor: 'ada', actorSource: 'local', workloadId: 'hr', runId: null };

    await audit.append({ ...entry, id: '1', action: 'import', detail: { z: 1, a: null } });
    await audit.append({ ...entry, id: '2', action: 'approve', detail: null });
    await audit.append({ ...entry, id: '1', action: 'forged', detail: {} });
    await audit.append({ ...entry, id: '3', action: 'elsewhere', workloadId: 'it', detail: [] });

    const { id: _, ...rest } = { ...entry, id: '' };
    const { workloadId: __, ...expected } = rest;
    expect(await audit.list('hr')).toEqual([
      { ...expected, at: expect.stringMatching(/Z$/), action: 'approve', detail: null },
      { ...expected, at: expect.stringMatching(/Z$/), action: 'import', detail: { z: 1, a: null } },
    ]);
    expect(await audit.list('hr', 1)).toHaveLength(1);
  });
}

function aMove(moveId: string, model: string): Move {
  return {
    moveId,
    workloadId: 'hr',
    serving: aServing(model),
    digest: null,
    runId: null,
    kind: 'promotion',
    actor: 'ada',
    reason: 'because',
  };
}
