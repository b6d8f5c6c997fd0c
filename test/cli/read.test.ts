import { describe, expect, test } from 'vitest';
import type { ServingSpec } from '../../domain/experiments/experiment.ts';
import { aCandidate } from '../support/experiments.ts';
import { manyRecords } from '../support/records.ts';
import { setup } from './support/cli.ts';

type Bundle = Awaited<ReturnType<typeof setup>>;

const serving: ServingSpec = { provider: 'local', model: 'ft:nano:1', fewShotUri: null, maxTokens: 64 };

/** A run as its activities leave it, written by the repositories that they use. */
async function aFinishedRun({ lineage }: Bundle): Promise<string> {
  const runId = 'run-20260102t030000z-abc123';
  const workflowId = 'flywheel:hr';
  await lineage.runs.open({
    runId,
    workflowId,
    workloadId: 'hr',
    reason: 'a test',
    requestedBy: 'ana',
    plan: {},
  });
  await lineage.datasets.openSnapshot({
    id: 'snap-1',
    runId,
    workloadId: 'hr',
    bound: '2026-01-02T03:00:00.000000Z',
  });
  const artifact = { uri: `artifact:sha256/${'a'.repeat(64)}`, sha256: 'a'.repeat(64), bytes: 10, rows: 6 };
  await lineage.datasets.commitSnapshot('snap-1', artifact, 6, {
    responseSources: { gold: 6 },
    synthetic: true,
    toolsInferred: false,
  });
  await lineage.datasets.commit(
    {
      ...{ runId, workloadId: 'hr', snapshotId: 'snap-1', seed: 1 },
      summary: {
        id: 'data-1',
        hash: 'b'.repeat(64),
        splits: { train: 3, validation: 1, eval: 2 },
        dropped: { duplicate: 1 },
      },
      files: {
        manifest: artifact,
        train: artifact,
        validation: artifact,
        trainExamples: artifact,
        eval: artifact,
      },
    },
    [
      ...['rec_1', 'rec_2', 'rec_3'].map((recordId) => ({ recordId, split: 'train' as const })),
      { recordId: 'rec_4', split: 'validation' as const },
      ...['rec_5', 'rec_6'].map((recordId) => ({ recordId, split: 'eval' as const })),
    ],
  );
  const experimentId = `${runId}/nano/base`;
  await lineage.experiments.open(runId, {
    experimentId,
    role: 'challenger',
    candidate: aCandidate(),
    strategy: 'base',
  });
  const evaluationId = 'eval-1';
  await lineage.evaluations.open({ evaluationId, experimentId, datasetId: 'data-1', serving, total: 2 });
  const evaluation = {
    ...{ evaluationId, n: 2, failed: 0, failures: {}, metrics: { call_accuracy: 1, tool_accuracy: 1 } },
    ...{ latencyMs: { p50: 12, p95: 20 }, tokens: { prompt: 10, completion: 4 } },
  };
  await lineage.evaluations.close(evaluation);
  await lineage.experiments.close({
    ...{ experimentId, role: 'challenger', candidate: 'nano', strategy: 'base', status: 'succeeded' },
    ...{ serving, evaluation },
  });
  const winner = { experimentId, candidate: 'nano', strategy: 'base' };
  await lineage.decisions.recordVerdict(
    runId,
    {
      outcome: 'promote',
      winner,
      reason: 'nano × base is best.',
      primaryMetric: 'call_accuracy',
      threshold: 0.75,
    },
    'c'.repeat(64),
    serving,
  );
  await lineage.decisions.openGate({
    runId,
    workloadId: 'hr',
    digest: 'c'.repeat(64),
    expiresAt: '2030-01-01T00:00:00.000Z',
  });
  await lineage.runs.setStage(runId, 'done');
  await lineage.runs.close(runId, 'completed');
  return runId;
}

describe('show', () => {
  test('--json has the fixed shape, and says that records are synthetic and gold', async () => {
    const bundle = await setup();
    const runId = await aFinishedRun(bundle);

    const shown = await bundle.run('show', runId, '--json');

    expect(shown.code).toBe(0);
    expect(shown.json()).toMatchObject({
      runId,
      workflowId: 'flywheel:hr',
      workload: 'hr',
      snapshot: { id: 'snap-1', records: 6, kind: 'deep' },
      dataset: {
        id: 'data-1',
        hash: 'b'.repeat(64),
        splits: { train: 3, validation: 1, eval: 2 },
        dropped: { duplicate: 1 },
      },
      experiments: [
        { candidate: 'nano', strategy: 'base', status: 'succeeded', n: 2, failed: 0, model: 'ft:nano:1' },
      ],
      verdict: { outcome: 'promote', winner: 'nano/base', reason: 'nano × base is best.' },
      digest: 'c'.repeat(64),
      approval: { status: 'pending' },
      ...{ synthetic: true, responseSources: { gold: 6 } },
    });
    const { experiments } = shown.json() as { experiments: { metrics: Record<string, number> }[] };
    expect(Object.entries(experiments[0]?.metrics ?? {})[0]).toEqual(['call_accuracy', 1]);
  });

  test('in a pipe it is a readable page without escape codes; a workload stands for its newest run', async () => {
    const bundle = await setup();
    const runId = await aFinishedRun(bundle);

    const byRun = await bundle.run('show', runId);
    const byWorkload = await bundle.run('show', 'hr');

    expect(byRun.stdout).toContain('★');
    expect(byRun.stdout).toContain('The traffic is synthetic');
    expect(byRun.stdout).toContain(`npx flywheel approve ${runId}`);
    expect(byRun.stdout).not.toContain('\u001b');
    expect(byWorkload.stdout).toBe(byRun.stdout);
  });

  test('an unknown name is exit code 1 and says where to look', async () => {
    const { run } = await setup();

    const text = await run('show', 'nobody');
    const json = await run('show', 'nobody', '--json');

    expect([text.code, json.code]).toEqual([1, 1]);
    expect(text.stderr).toMatch(
      /no run and no workload with runs called "nobody"\.\n {2}next: `npx flywheel runs`/,
    );
    expect(json.json()).toMatchObject({ error: { code: 'not_found' } });
  });
});

test('the next step is a line to paste for the same stack, whatever its home is called', async () => {
  const { run } = await setup();

  const { stderr } = await run('show', 'nobody', '--home', "/tmp/ana's home", '--port-offset', '7');

  expect(stderr).toContain(String.raw`npx flywheel runs --home '/tmp/ana'\''s home' --port-offset 7`);
});

describe('route', () => {
  test('tells where traffic goes, what was before, and on what evidence', async () => {
    const bundle = await setup();
    const runId = await aFinishedRun(bundle);
    const digest = 'c'.repeat(64);
    const move = {
      workloadId: 'hr',
      serving,
      digest,
      runId,
      kind: 'promotion',
      actor: 'ana',
      reason: 'x',
    } as const;
    await bundle.lineage.routes.move({ ...move, moveId: 'm1' });
    await bundle.lineage.routes.move({ ...move, moveId: 'm2', serving: { ...serving, model: 'ft:nano:2' } });

    const { code, json, stdout } = await bundle.run('route', 'hr', '--json');
    const text = await bundle.run('route', 'hr');

    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual(json());
    expect(json()).toEqual({
      ...{ workload: 'hr', model: 'ft:nano:2', previous: 'ft:nano:1', digest, version: 2 },
      since: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    expect(text.stdout).toContain('hr → ft:nano:2');
  });

  test('a workload whose traffic was never moved is served by the original', async () => {
    const { run, logStore } = await setup();
    await logStore.append(manyRecords(1));

    expect((await run('route', 'hr', '--json')).json()).toEqual({
      ...{ workload: 'hr', model: 'original', digest: null, since: null, version: 0 },
    });
    expect((await run('route', 'nobody')).code).toBe(1);
    expect((await run('rollback', 'hr', '--reason', 'x')).stderr).toContain('never moved');
  });
});

describe('lists', () => {
  test('runs and workloads, as JSON and as text', async () => {
    const bundle = await setup();
    await bundle.logStore.append(manyRecords(3));
    const runId = await aFinishedRun(bundle);

    const runs = await bundle.run('runs', 'hr', '--json');
    const workloads = await bundle.run('workloads', '--json');
    const text = await bundle.run('runs');

    expect(runs.json()).toMatchObject([
      { runId, workload: 'hr', status: 'completed', verdict: 'promote', gate: 'pending' },
    ]);
    expect(workloads.json()).toMatchObject([{ workload: 'hr', records: 3, clients: 1, model: 'original' }]);
    expect(text.stdout).toContain(runId);
    expect(text.stdout).not.toContain('\u001b');
  });

  test('empty ones say how to begin', async () => {
    const { run } = await setup();

    expect((await run('runs')).stdout).toContain('npx flywheel run');
    expect((await run('workloads')).stdout).toContain('import');
  });
});

test('lineage walks from the route to the record ids', async () => {
  const bundle = await setup();
  const runId = await aFinishedRun(bundle);
  const digest = 'c'.repeat(64);
  await bundle.lineage.routes.move({
    ...{ moveId: 'm1', workloadId: 'hr', serving, digest, runId },
    ...{ kind: 'promotion', actor: 'ana', reason: 'x' },
  });

  const { code, json } = await bundle.run('lineage', 'hr', '--json');
  const text = await bundle.run('lineage', 'hr');

  expect(code).toBe(0);
  expect(json()).toMatchObject({
    route: { version: 1, model: 'ft:nano:1' },
    run: { runId },
    dataset: { id: 'data-1' },
    records: { train: ['rec_1', 'rec_2', 'rec_3'], validation: ['rec_4'], eval: ['rec_5', 'rec_6'] },
  });
  expect(text.stdout).toContain('3 records: rec_1, rec_2, rec_3');
});

test('deciding where nothing waits says why', async () => {
  const bundle = await setup();
  const runId = await aFinishedRun(bundle);
  await bundle.lineage.decisions.closeGate(runId, 'expired');

  const byWorkload = await bundle.run('approve', 'hr', '--reason', 'x');

  expect(byWorkload.code).toBe(1);
  expect(byWorkload.stderr).toContain(`its newest run ${runId} is expired`);
});

test('a run of a workload without records is refused with the names that there are', async () => {
  const { run, logStore } = await setup();
  await logStore.append(manyRecords(1));

  const { code, stderr } = await run('run', 'rh');

  expect(code).toBe(1);
  expect(stderr).toContain('No record of a workload "rh" is in the log store (there: hr)');
});
