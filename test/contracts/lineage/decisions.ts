import { beforeEach, expect, it } from 'vitest';
import type { Lineage } from '../../../activities/ports/lineage.ts';
import type { Verdict } from '../../../domain/verdicts/verdict.ts';
import { aDecision, aServing, aSpec, aVerdict, openedRun } from '../../support/lineage.ts';

export function decisionCases(lineage: () => Lineage): void {
  const spec = aSpec('run-1');
  const gate = { runId: 'run-1', workloadId: 'hr', digest: 'd1', expiresAt: '2027-01-01T00:00:00.000Z' };

  beforeEach(async () => {
    await openedRun(lineage(), 'run-1');
    await lineage().experiments.open('run-1', spec);
  });

  it('keeps the first verdict of a run', async () => {
    const { decisions } = lineage();
    const serving = aServing('ft:1', { fewShotUri: 'artifact:sha256/x' });

    await decisions.recordVerdict('run-1', aVerdict(spec), 'd1', serving);
    await decisions.recordVerdict('run-1', aVerdict(spec, { outcome: 'hold' }), 'd2', null);

    expect(await decisions.getVerdict('run-1')).toEqual({ verdict: aVerdict(spec), digest: 'd1', serving });
    expect((await lineage().runs.view('run-1')).threshold).toBe(0.75);
  });

  it('keeps a verdict without a winner', async () => {
    const { decisions } = lineage();
    const verdict: Verdict = {
      outcome: 'inconclusive',
      reason: 'nothing was measured',
      primaryMetric: 'tool_accuracy',
      threshold: 0.8,
    };

    await decisions.recordVerdict('run-1', verdict, 'd1', null);

    expect(await decisions.getVerdict('run-1')).toEqual({ verdict, digest: 'd1', serving: null });
    const view = await lineage().runs.view('run-1');
    expect(view.verdict).toEqual({ outcome: 'inconclusive', reason: 'nothing was measured' });
    expect(view).not.toHaveProperty('approval');
  });

  it('says that a run has no verdict yet', async () => {
    await expect(lineage().decisions.getVerdict('run-1')).rejects.toMatchObject({ name: 'NotFoundError' });
  });

  it('opens a gate once and keeps it shut once it is decided', async () => {
    const { decisions, runs } = lineage();
    await decisions.openGate(gate);
    expect((await runs.view('run-1')).approval).toEqual({ status: 'pending' });

    await decisions.recordDecision('run-1', aDecision('one', 'd1'), 'approved');
    await decisions.openGate(gate);
    await decisions.closeGate('run-1', 'expired');

    expect((await runs.view('run-1')).approval).toEqual({
      ...{
        status: 'approved',
        outcome: 'approve',
        actor: 'grace',
        actorSource: 'local',
        reason: 'looks right',
      },
      ...{ override: false, at: expect.stringMatching(/Z$/) },
    });
    expect(await runs.openGates('hr')).toEqual([]);
  });

  it('knows a winner that may still get traffic: until it is refused, or its route has moved', async () => {
    const { decisions, routes } = lineage();
    const serving = aServing('ft:1');
    const winner = { runId: 'run-1', workload: 'hr', serving };
    await decisions.recordVerdict('run-1', aVerdict(spec), 'd1', serving);
    expect(await decisions.promotable()).toEqual([]);

    await decisions.openGate(gate);
    expect(await decisions.promotable()).toEqual([{ ...winner, gate: 'pending', decidedAt: null }]);
    await decisions.recordDecision('run-1', aDecision('one', 'd1'), 'approved');
    expect(await decisions.promotable()).toEqual([
      { ...winner, gate: 'approved', decidedAt: expect.stringMatching(/^\d{4}-.*Z$/) },
    ]);
    const move = { workloadId: 'hr', serving, digest: 'd1', runId: 'run-1', actor: 'ada', reason: '' };
    await routes.move({ ...move, moveId: 'promotion', kind: 'promotion' });
    expect(await decisions.promotable()).toEqual([]);
    await routes.move({ ...move, moveId: 'restore', kind: 'restore', serving: null });
    expect(await decisions.promotable()).toEqual([]);
  });

  it.each(['rejected', 'expired', 'superseded'] as const)(
    'knows that a winner is out once it is %s',
    async (status) => {
      const { decisions } = lineage();
      await decisions.recordVerdict('run-1', aVerdict(spec), 'd1', aServing('ft:1'));
      await decisions.openGate(gate);

      await decisions.closeGate('run-1', status);

      expect(await decisions.promotable()).toEqual([]);
    },
  );

  it('takes a decision once by its id and refuses a second one', async () => {
    const { decisions, runs } = lineage();
    await decisions.openGate(gate);

    await decisions.recordDecision('run-1', aDecision('one', 'd1'), 'approved');
    await decisions.recordDecision('run-1', aDecision('one', 'd1'), 'approved');
    const second = decisions.recordDecision(
      'run-1',
      { ...aDecision('two', 'd1'), outcome: 'reject' },
      'rejected',
    );

    await expect(second).rejects.toMatchObject({
      name: 'ConflictError',
      message: expect.stringContaining('approved'),
    });
    expect((await runs.view('run-1')).approval?.status).toBe('approved');
  });

  it('keeps the decisions of two runs apart that have the same id', async () => {
    const { decisions, runs } = lineage();
    await openedRun(lineage(), 'run-2');
    await decisions.openGate(gate);
    await decisions.openGate({ ...gate, runId: 'run-2', digest: 'd2' });

    await decisions.recordDecision('run-1', aDecision('decision-1', 'd1'), 'approved');
    await decisions.recordDecision('run-2', aDecision('decision-1', 'd2'), 'approved');

    expect((await runs.view('run-2')).approval).toMatchObject({ status: 'approved', actor: 'grace' });
  });

  it('refuses another outcome under the id of a decision that was made', async () => {
    const { decisions } = lineage();
    await decisions.openGate(gate);
    await decisions.recordDecision('run-1', aDecision('one', 'd1'), 'approved');

    const other = decisions.recordDecision(
      'run-1',
      { ...aDecision('one', 'd1'), outcome: 'reject' },
      'rejected',
    );

    await expect(other).rejects.toMatchObject({ name: 'ConflictError' });
  });

  it('lets one of two people decide who decide at once', async () => {
    const { decisions } = lineage();
    await decisions.openGate(gate);

    const outcomes = await Promise.allSettled([
      decisions.recordDecision('run-1', aDecision('one', 'd1'), 'approved'),
      decisions.recordDecision('run-1', { ...aDecision('two', 'd1'), outcome: 'reject' }, 'rejected'),
    ]);

    expect(outcomes.map((outcome) => outcome.status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  it('shows an expired gate with its time and nobody’s name', async () => {
    const { decisions, runs } = lineage();
    await decisions.openGate(gate);

    await decisions.closeGate('run-1', 'expired');
    const late = decisions.recordDecision('run-1', aDecision('late', 'd1'), 'approved');

    await expect(late).rejects.toMatchObject({ name: 'ConflictError' });
    expect((await runs.view('run-1')).approval).toEqual({
      status: 'expired',
      at: expect.stringMatching(/Z$/),
    });
  });

  it('decides nothing where there is no gate', async () => {
    await expect(
      lineage().decisions.recordDecision('run-1', aDecision('one', 'd1'), 'approved'),
    ).rejects.toMatchObject({ name: 'NotFoundError' });
  });
}
