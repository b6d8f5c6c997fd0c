import { expect, it } from 'vitest';
import type { Lineage } from '../../../activities/ports/lineage.ts';
import { aDecision, approvedRun, aRun, aSpec, openedRun } from '../../support/lineage.ts';

export function runCases(lineage: () => Lineage): void {
  it('opens a run once, however often it is told to', async () => {
    const { runs } = lineage();

    await runs.open(aRun('run-1'));
    await runs.open(aRun('run-1', { reason: 'again' }));

    expect(await runs.list('hr')).toHaveLength(1);
    expect((await runs.view('run-1')).reason).toBe('asked for');
  });

  it('shows a run that has only begun', async () => {
    const { runs } = lineage();

    await runs.open(aRun('run-1'));

    expect(await runs.view('run-1')).toEqual({
      runId: 'run-1',
      workflowId: 'flywheel:hr',
      workload: 'hr',
      snapshot: null,
      dataset: null,
      experiments: [],
      verdict: null,
      digest: null,
      status: 'running',
      stage: 'planning',
      reason: 'asked for',
      requestedBy: 'ada',
      startedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      endedAt: null,
      responseSources: {},
      synthetic: false,
      toolsInferred: false,
      threshold: null,
      primaryMetric: null,
      policy: null,
    });
  });

  it('shows a whole run in the fixed shape, fields in their order', async () => {
    const { digest } = await approvedRun(lineage(), 'run-1');
    await lineage().routes.move({
      moveId: 'move-1',
      workloadId: 'hr',
      serving: { provider: 'local', model: 'ft:run-1/nano/lora', fewShotUri: null, maxTokens: 64 },
      digest,
      runId: 'run-1',
      kind: 'promotion',
      actor: 'grace',
      reason: 'approved',
    });

    const view = await lineage().runs.view('run-1');

    expect(Object.keys(view).slice(0, 10)).toEqual([
      ...['runId', 'workflowId', 'workload', 'snapshot', 'dataset', 'experiments', 'verdict', 'digest'],
      ...['approval', 'route'],
    ]);
    expect(view).toMatchObject({
      snapshot: { id: 'snap-run-1', records: 7, kind: 'deep' },
      dataset: { id: 'data-run-1', dropped: { duplicate: 4 } },
      verdict: { outcome: 'promote', winner: 'nano/lora' },
      digest,
      approval: {
        status: 'approved',
        outcome: 'approve',
        actor: 'grace',
        actorSource: 'local',
        override: false,
      },
      route: { version: 1, model: 'ft:run-1/nano/lora', live: true },
      status: 'completed',
      stage: 'done',
      responseSources: { gold: 7 },
      synthetic: true,
      toolsInferred: true,
    });
    expect(Object.keys(view.dataset?.splits ?? {})).toEqual(['train', 'validation', 'eval']);
    expect(view.experiments).toEqual([
      {
        candidate: 'nano',
        strategy: 'lora',
        role: 'challenger',
        status: 'succeeded',
        stage: 'done',
        n: 3,
        failed: 1,
        failures: { timeout: 1 },
        metrics: { tool_accuracy: 0.9, accuracy: 0.8, no_tool_recall: 0.7 },
        trainSeconds: 61.5,
        model: 'ft:run-1/nano/lora',
        latencyMs: { p50: 12.5, p95: 40 },
        tokens: { prompt: 300, completion: 30 },
        training: {
          jobId: 'ftjob-run-1',
          status: 'succeeded',
          step: 10,
          totalSteps: 10,
          trainLoss: 0.5,
          validationLoss: null,
        },
        evaluated: { done: 0, total: 3 },
      },
    ]);
  });

  it('keeps the first end of a run and lets no late stage in', async () => {
    const { runs } = lineage();
    await runs.open(aRun('run-1'));
    await runs.setStage('run-1', 'curation');

    await runs.close('run-1', 'failed', 'too few records');
    await runs.close('run-1', 'completed');
    await runs.setStage('run-1', 'experiments');

    const view = await runs.view('run-1');
    expect(view).toMatchObject({ status: 'failed', stage: 'curation', failure: 'too few records' });
    expect(view.endedAt).not.toBeNull();
  });

  it('lists runs newest first, of one workload or all', async () => {
    const { runs } = lineage();
    await runs.open(aRun('run-1'));
    await runs.open(aRun('run-2', { workloadId: 'it' }));
    await runs.open(aRun('run-3'));

    expect((await runs.list()).map((run) => run.runId)).toEqual(['run-3', 'run-2', 'run-1']);
    expect((await runs.list('hr')).map((run) => run.runId)).toEqual(['run-3', 'run-1']);
    expect(await runs.list('hr', 1)).toHaveLength(1);
    expect(await runs.latest('hr')).toBe('run-3');
    expect(await runs.latest('nobody')).toBeNull();
  });

  it('knows its own runs', async () => {
    const { runs } = lineage();
    await runs.open(aRun('run-1'));
    await runs.open(aRun('run-2'));

    expect(await runs.known(['run-2', 'run-3'])).toEqual(['run-2']);
    expect(await runs.known([])).toEqual([]);
  });

  it('knows every run that has not ended, oldest first', async () => {
    const { runs } = lineage();
    for (let n = 0; n < 60; n++) await runs.open(aRun(`run-${n}`));
    for (let n = 2; n < 60; n++) await runs.close(`run-${n}`, n % 2 ? 'failed' : 'completed');

    expect(await runs.running()).toEqual([
      { runId: 'run-0', workload: 'hr' },
      { runId: 'run-1', workload: 'hr' },
    ]);
  });

  it('lists a run with its verdict and its gate', async () => {
    await approvedRun(lineage(), 'run-1');

    expect(await lineage().runs.list('hr')).toMatchObject([
      {
        runId: 'run-1',
        workload: 'hr',
        status: 'completed',
        stage: 'done',
        verdict: 'promote',
        gate: 'approved',
      },
    ]);
  });

  it('knows the gates that wait, newest first', async () => {
    const { runs, decisions } = lineage();
    for (const runId of ['run-1', 'run-2', 'run-3']) {
      await openedRun(lineage(), runId);
      await lineage().experiments.open(runId, aSpec(runId));
      await decisions.openGate({
        runId,
        workloadId: 'hr',
        digest: `d-${runId}`,
        expiresAt: '2027-01-01T00:00:00Z',
      });
    }
    await decisions.recordDecision('run-2', aDecision('no', 'd-run-2'), 'rejected');

    expect(await runs.openGates('hr')).toEqual([
      { runId: 'run-3', digest: 'd-run-3' },
      { runId: 'run-1', digest: 'd-run-1' },
    ]);
  });

  it('says which run it does not know', async () => {
    await expect(lineage().runs.view('run-x')).rejects.toMatchObject({
      name: 'NotFoundError',
      message: expect.stringContaining('run-x'),
    });
  });
}
