import { beforeEach, expect, it } from 'vitest';
import type { Lineage } from '../../../activities/ports/lineage.ts';
import {
  anArtifactRef,
  anEvaluationSummary,
  anItem,
  aReport,
  aServing,
  aSpec,
  openedRun,
} from '../../support/lineage.ts';

export function experimentCases(lineage: () => Lineage): void {
  const spec = aSpec('run-1');
  const { experimentId } = spec;
  const datasetId = 'data-run-1';
  const job = {
    ...{ jobId: 'job-1', experimentId, provider: 'local', key: 'run-1-abc', datasetId },
    ...{ status: 'queued' as const, hyperparameters: { rank: 32 } },
  };
  const evaluation = {
    ...{ evaluationId: 'eval-1', experimentId, datasetId, serving: aServing('m'), total: 3 },
  };
  const view = async () => (await lineage().runs.view('run-1')).experiments[0];

  beforeEach(async () => {
    await openedRun(lineage(), 'run-1');
    await lineage().experiments.open('run-1', spec);
  });

  it('opens an experiment once', async () => {
    await lineage().experiments.open('run-1', spec);

    const { experiments } = await lineage().runs.view('run-1');
    expect(experiments).toEqual([
      {
        ...{ candidate: 'nano', strategy: 'lora', role: 'challenger', status: 'pending', stage: 'waiting' },
        ...{ n: 0, failed: 0, failures: {}, metrics: {}, model: null },
      },
    ]);
  });

  it('lists challengers by candidate and strategy, the champion last', async () => {
    const { experiments, runs } = lineage();
    const champion = {
      ...aSpec('run-1', 'base', 'aardvark'),
      role: 'champion' as const,
      serving: aServing('served'),
    };
    for (const other of [
      champion,
      aSpec('run-1', 'icl'),
      aSpec('run-1', 'lora', 'micro'),
      aSpec('run-1', 'base'),
    ]) {
      await experiments.open('run-1', other);
    }

    const names = (await runs.view('run-1')).experiments.map(
      (e) => `${e.role} ${e.candidate}/${e.strategy} ${e.model}`,
    );

    expect(names).toEqual([
      'challenger micro/lora null',
      'challenger nano/base null',
      'challenger nano/icl null',
      'challenger nano/lora null',
      'champion aardvark/base served',
    ]);
  });

  it('never reopens an experiment that ended', async () => {
    const { experiments } = lineage();
    await experiments.setStage(experimentId, 'training', 'running');
    await experiments.close(
      aReport(spec, {
        status: 'failed',
        serving: null,
        evaluation: null,
        failure: { stage: 'training', reason: 'full' },
      }),
    );

    await experiments.setStage(experimentId, 'evaluating', 'running');
    await experiments.close(aReport(spec));
    await experiments.cancelOpen('run-1');

    expect(await view()).toMatchObject({ status: 'failed', stage: 'training', failure: 'full', model: null });
  });

  it('cancels what has not ended and nothing else', async () => {
    const { experiments, runs } = lineage();
    await experiments.open('run-1', aSpec('run-1', 'base'));
    await experiments.close(aReport(aSpec('run-1', 'base')));
    await experiments.setStage(experimentId, 'training', 'running');

    await experiments.cancelOpen('run-1');
    await experiments.close(aReport(spec));

    const statuses = (await runs.view('run-1')).experiments.map((e) => `${e.strategy} ${e.status}`);
    expect(statuses).toEqual(['base succeeded', 'lora cancelled']);
  });

  it('keeps with a job what it was not trained on', async () => {
    const list = anArtifactRef('9', 3);
    const setAside = { train: 2, validation: 1, reasons: { row_too_long: 3 }, list };

    await lineage().experiments.recordJob({ ...job, setAside });
    await lineage().experiments.recordJob(job);

    expect((await view())?.training?.setAside).toEqual(setAside);
  });

  it('adds to a job what it was not trained on once that is told, and changes nothing else', async () => {
    const setAside = { train: 1, validation: 0, reasons: { row_too_long: 1 }, list: anArtifactRef('9', 1) };
    await lineage().experiments.recordJob(job);
    await lineage().experiments.updateJob(job.jobId, 'succeeded', null);

    await lineage().experiments.recordJob({ ...job, setAside });

    expect((await view())?.training).toMatchObject({ status: 'succeeded', setAside });
  });

  it('knows where an adapter comes from, whatever it is asked of another', async () => {
    const { experiments, adapters, evaluations } = lineage();
    await experiments.recordJob(job);
    const at = { experimentId, datasetId, jobId: 'job-1', baseModel: 'nano-1m' };
    await experiments.recordAdapter({ ...at, model: 'ft:1', provider: 'local' });
    await evaluations.open(evaluation);

    const [unmeasured, ...others] = await adapters.find('ft:1');
    await evaluations.close(anEvaluationSummary('eval-1'));
    const [measured] = await adapters.find('ft:1');

    expect(others).toEqual([]);
    expect(unmeasured).toMatchObject({
      ...{ model: 'ft:1', provider: 'local', baseModel: 'nano-1m', runId: 'run-1', experimentId },
      ...{ candidate: 'nano', strategy: 'lora', evaluationId: null },
      job: { id: 'job-1', key: 'run-1-abc', hyperparameters: { rank: 32 }, setAside: null },
      dataset: { id: datasetId, hash: 'a'.repeat(64), seed: 4_294_967_295, snapshotId: 'snap-run-1' },
    });
    expect(measured?.evaluationId).toBe('eval-1');
    expect(await adapters.find('ft:none')).toEqual([]);
    expect(await adapters.models()).toEqual(['ft:1']);
  });

  it('follows a job and forgets nothing that it reported', async () => {
    const { experiments } = lineage();
    await experiments.recordJob(job);
    await experiments.recordJob({ ...job, status: 'running' });

    await experiments.updateJob('job-1', 'running', {
      step: 3,
      totalSteps: 9,
      trainLoss: 1.5,
      validationLoss: 2,
    });
    await experiments.updateJob('job-1', 'running', null);

    expect((await view())?.training).toEqual({
      ...{ jobId: 'job-1', status: 'running', step: 3, totalSteps: 9, trainLoss: 1.5, validationLoss: 2 },
    });
  });

  it('lets no late word in on a job that ended', async () => {
    const { experiments } = lineage();
    await experiments.recordJob(job);

    await experiments.updateJob('job-1', 'failed', null, 'the server was restarted');
    await experiments.updateJob('job-1', 'running', {
      step: 9,
      totalSteps: 9,
      trainLoss: 0,
      validationLoss: 0,
    });

    expect((await view())?.training).toMatchObject({ status: 'failed', step: 0 });
  });

  it('shows the newest job of an experiment', async () => {
    const { experiments } = lineage();
    await experiments.recordJob(job);
    await experiments.updateJob('job-1', 'failed', null);
    await experiments.recordJob({ ...job, jobId: 'job-2', key: 'run-1-abc-2' });

    expect((await view())?.training?.jobId).toBe('job-2');
  });

  it('holds both jobs that a service made of one key, and shows the one that came to an adapter', async () => {
    const { experiments, adapters } = lineage();
    const setAside = { train: 1, validation: 0, reasons: { row_too_long: 1 }, list: anArtifactRef('9', 1) };
    const at = { experimentId, datasetId, provider: 'local', baseModel: 'nano-1m' };
    await experiments.recordJob({ ...job, jobId: 'surplus' });

    // Created first and answered never: found only by a later attempt.
    await experiments.recordJob({ ...job, jobId: 'late', setAside });
    await experiments.updateJob('late', 'succeeded', null);
    await experiments.recordAdapter({ ...at, jobId: 'late', model: 'ft:late' });
    await experiments.updateJob('surplus', 'cancelled', null);

    expect((await view())?.training).toMatchObject({ jobId: 'late', status: 'succeeded', setAside });
    expect(await adapters.find('ft:late')).toMatchObject([{ job: { id: 'late', key: job.key, setAside } }]);
  });

  it('shows, while there is no adapter, the job that was heard of last', async () => {
    const { experiments } = lineage();
    await experiments.recordJob({ ...job, jobId: 'first' });
    await experiments.recordJob({ ...job, jobId: 'second', key: 'run-1-abc-2' });

    await experiments.updateJob('first', 'running', null);

    expect((await view())?.training).toMatchObject({ jobId: 'first', status: 'running' });
  });

  it('stores an answered item once and keeps the first answer, verbatim', async () => {
    const { evaluations } = lineage();
    await evaluations.open(evaluation);
    await evaluations.open(evaluation);
    const first = anItem('b', { response: { z: 1, a: '\u0000', choices: [] }, scores: { z: 1, a: 0.5 } });

    await evaluations.storeItems('eval-1', [first]);
    await evaluations.storeItems('eval-1', [
      anItem('b', { failure: 'timeout' }),
      anItem('a'),
      anItem('C', { failureDetail: 'not\0storable' }),
    ]);
    await evaluations.storeItems('eval-1', []);

    const items = await evaluations.items('eval-1');
    expect(items).toEqual([anItem('C', { failureDetail: 'notstorable' }), anItem('a'), first]);
    expect(JSON.stringify(items[2]?.response)).toBe(JSON.stringify(first.response));
    expect(await evaluations.storedItemIds('eval-1')).toEqual(new Set(['a', 'b', 'C']));
    expect(await evaluations.storedItemIds('eval-x')).toEqual(new Set());
    expect((await view())?.evaluated).toEqual({ done: 3, total: 3 });
  });

  it('knows the evaluations of an experiment from the moment that they are opened', async () => {
    const { evaluations } = lineage();
    const { serving } = evaluation;
    expect(await evaluations.ofExperiment(experimentId)).toEqual([]);

    await evaluations.open(evaluation);
    await evaluations.open({ ...evaluation, evaluationId: 'eval-2' });
    await evaluations.close(anEvaluationSummary('eval-1'));

    expect(await evaluations.ofExperiment(experimentId)).toEqual([
      { evaluationId: 'eval-1', serving },
      { evaluationId: 'eval-2', serving },
    ]);
    expect(await evaluations.ofExperiment(`${experimentId}-2`)).toEqual([]);
  });

  it('takes thousands of items at once', async () => {
    const { evaluations } = lineage();
    await evaluations.open(evaluation);

    await evaluations.storeItems(
      'eval-1',
      Array.from({ length: 12_000 }, (_, i) => anItem(`item-${i}`)),
    );

    expect((await evaluations.storedItemIds('eval-1')).size).toBe(12_000);
  });

  it('closes an evaluation once, its metrics in the order given', async () => {
    const { evaluations } = lineage();
    await evaluations.open(evaluation);

    const latencyMs = { p50: 12.5, p95: 40, of: 2 };
    await evaluations.close(
      anEvaluationSummary('eval-1', { metrics: { zz_primary: 0.5, b: 1, aa: 0 }, latencyMs }),
    );
    await evaluations.close(anEvaluationSummary('eval-1', { metrics: { other: 1 }, latencyMs: null }));

    const measured = await view();
    expect(Object.entries(measured?.metrics ?? {})).toEqual([
      ['zz_primary', 0.5],
      ['b', 1],
      ['aa', 0],
    ]);
    expect(measured).toMatchObject({
      n: 3,
      failed: 1,
      failures: { timeout: 1 },
      latencyMs,
    });
    await expect(evaluations.close(anEvaluationSummary('eval-x'))).rejects.toMatchObject({
      name: 'NotFoundError',
    });
  });

  it('refuses what hangs on nothing', async () => {
    const { experiments, evaluations } = lineage();

    await expect(experiments.open('run-x', aSpec('run-x'))).rejects.toMatchObject({ name: 'NotFoundError' });
    await expect(evaluations.storeItems('eval-x', [anItem('a')])).rejects.toMatchObject({
      name: 'NotFoundError',
    });
  });
}
