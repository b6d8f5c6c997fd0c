import { expect, it } from 'vitest';
import type { Lineage } from '../../../activities/ports/lineage.ts';
import { aDatasetOf, aMembership, anArtifactRef, aRun, openedRun } from '../../support/lineage.ts';

export function datasetCases(lineage: () => Lineage): void {
  const snapshot = { id: 'snap-1', runId: 'run-1', workloadId: 'hr', bound: '2026-01-01T00:00:00.123456Z' };

  it('keeps the first bound of a snapshot', async () => {
    const { runs, datasets } = lineage();
    await runs.open(aRun('run-1'));

    const first = await datasets.openSnapshot(snapshot);
    const again = await datasets.openSnapshot({ ...snapshot, bound: '2030-01-01T00:00:00.000000Z' });

    expect(first).toEqual({ bound: snapshot.bound, artifact: null, records: 0 });
    expect(again).toEqual(first);
  });

  it('gives a committed snapshot back as it was committed first', async () => {
    const { runs, datasets } = lineage();
    await runs.open(aRun('run-1'));
    await datasets.openSnapshot(snapshot);
    const facts = { responseSources: { gold: 2 }, synthetic: false, toolsInferred: false };

    await datasets.commitSnapshot('snap-1', anArtifactRef('a', 2), 2, facts);
    await datasets.commitSnapshot('snap-1', anArtifactRef('b', 9), 9, facts);

    expect(await datasets.openSnapshot(snapshot)).toEqual({
      bound: snapshot.bound,
      artifact: anArtifactRef('a', 2),
      records: 2,
    });
  });

  it('commits no snapshot that was not opened, and opens none for an unknown run', async () => {
    const { datasets } = lineage();
    const facts = { responseSources: {}, synthetic: false, toolsInferred: false };

    await expect(datasets.commitSnapshot('snap-x', anArtifactRef('a'), 1, facts)).rejects.toMatchObject({
      name: 'NotFoundError',
    });
    await expect(datasets.openSnapshot(snapshot)).rejects.toMatchObject({ name: 'NotFoundError' });
  });

  it('commits a dataset once and gives it back', async () => {
    const { datasets } = lineage();
    await openedRun(lineage(), 'run-1');
    const dataset = aDatasetOf('run-1');

    await datasets.commit(dataset, aMembership);
    await datasets.commit({ ...dataset, seed: 5 }, []);

    expect(await datasets.get('data-run-1')).toEqual(dataset);
    await expect(datasets.get('data-x')).rejects.toMatchObject({ name: 'NotFoundError' });
  });

  it('stores a dataset with all its records or not at all', async () => {
    const { runs, datasets } = lineage();
    await runs.open(aRun('run-1'));
    await datasets.openSnapshot({ ...snapshot, id: 'snap-run-1' });
    const broken = (async function* () {
      for (let i = 0; i < 7_000; i++) yield { recordId: `rec_${i}`, split: 'train' as const };
      throw new Error('the process died');
    })();

    await expect(datasets.commit(aDatasetOf('run-1'), broken)).rejects.toThrow('the process died');

    await expect(datasets.get('data-run-1')).rejects.toMatchObject({ name: 'NotFoundError' });
    await datasets.commit(aDatasetOf('run-1'), aMembership);
    expect(await datasets.get('data-run-1')).toEqual(aDatasetOf('run-1'));
  });

  it('moves the watermark, and takes the records, when an incremental snapshot becomes a dataset', async () => {
    const { runs, datasets } = lineage();
    await runs.open(aRun('run-1'));
    await datasets.openSnapshot({ ...snapshot, id: 'snap-run-1', kind: 'incremental' });
    const before = [await datasets.watermark('hr'), await datasets.taken('hr', ['rec_1'])];

    await datasets.commit(aDatasetOf('run-1'), aMembership, ['rec_1', 'rec_2', 'rec_3', 'left out']);
    await datasets.commit(aDatasetOf('run-1'), aMembership, ['rec_1']);

    expect(before).toEqual([null, new Set()]);
    expect(await datasets.watermark('hr')).toBe(snapshot.bound);
    expect(await datasets.taken('hr', ['left out', 'rec_1', 'rec_9'])).toEqual(
      new Set(['rec_1', 'left out']),
    );
    expect(await datasets.taken('it', ['rec_1'])).toEqual(new Set());
  });

  it.each(['failed', 'cancelled'] as const)('gives back what a run took that %s', async (status) => {
    const { runs, datasets } = lineage();
    await runs.open(aRun('run-1'));
    await datasets.openSnapshot({ ...snapshot, id: 'snap-run-1', kind: 'incremental' });
    await datasets.commit(aDatasetOf('run-1'), aMembership, ['rec_1']);

    await runs.close('run-1', status, 'the trainer was down');

    expect(await datasets.watermark('hr')).toBeNull();
    expect(await datasets.taken('hr', ['rec_1'])).toEqual(new Set());
  });

  it('lets no second incremental dataset have a record', async () => {
    const { runs, datasets } = lineage();
    for (const run of ['run-1', 'run-2']) {
      await runs.open(aRun(run));
      await datasets.openSnapshot({ ...snapshot, id: `snap-${run}`, runId: run, kind: 'incremental' });
    }
    await datasets.commit(aDatasetOf('run-1'), aMembership, ['rec_1']);

    const second = datasets.commit(aDatasetOf('run-2'), aMembership, ['rec_9', 'rec_1']);

    await expect(second).rejects.toMatchObject({ name: 'ConflictError' });
    expect(await datasets.taken('hr', ['rec_9'])).toEqual(new Set());
    await expect(datasets.get('data-run-2')).rejects.toMatchObject({ name: 'NotFoundError' });
  });

  it('takes nothing for a deep snapshot', async () => {
    await openedRun(lineage(), 'run-1');

    expect(await lineage().datasets.watermark('hr')).toBeNull();
    expect(await lineage().datasets.taken('hr', ['rec_1'])).toEqual(new Set());
  });

  it('takes a hundred thousand records from a stream', async () => {
    const { runs, datasets, routes } = lineage();
    await runs.open(aRun('run-1'));
    await datasets.openSnapshot({ ...snapshot, id: 'snap-run-1' });
    const stream = (async function* () {
      for (let i = 0; i < 100_000; i++) yield { recordId: `rec_${i}`, split: 'train' as const };
    })();

    await datasets.commit(aDatasetOf('run-1'), stream);
    await routes.move({
      ...{ moveId: 'm', workloadId: 'hr', serving: null, digest: null, runId: 'run-1' },
      ...{ kind: 'promotion' as const, actor: 'ada', reason: 'to look' },
    });

    expect((await routes.trace('hr')).records.train).toHaveLength(100_000);
  });
}
