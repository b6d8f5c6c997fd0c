import { beforeEach, expect, it } from 'vitest';
import type { Lineage } from '../../../activities/ports/lineage.ts';
import type { SafetyCheckItem } from '../../../activities/ports/safety-lineage.ts';
import { summariseSafety } from '../../../domain/guardrails/safety.ts';
import { aReport, aServing, aSpec, openedRun } from '../../support/lineage.ts';

export function safetyCases(lineage: () => Lineage): void {
  const spec = aSpec('run-1');
  const check = {
    ...{ checkId: 'safety-1', experimentId: spec.experimentId, serving: aServing('ft:1'), provider: null },
    rules: { questions: {}, answers: { zebra: 'z', ant: 'a' } },
    ...{ safetySet: 'artifact:sha256/x', total: 2 },
  };
  const item: SafetyCheckItem = {
    ...{ itemId: 'b', category: 'secrets', outcome: 'blocked', rule: 'answers.zebra', questionRule: null },
    ...{ response: { choices: [], b: 1, a: 2 }, detail: 'output: blocked' },
  };

  beforeEach(async () => {
    await openedRun(lineage(), 'run-1');
    await lineage().experiments.open('run-1', spec);
    await lineage().safety.open(check);
  });

  it('keeps the first result of a safety item, in the order of the ids', async () => {
    const { safety } = lineage();

    await safety.open(check);
    await safety.storeItem('safety-1', item);
    await safety.storeItem('safety-1', { ...item, outcome: 'passed', rule: null });
    await safety.storeItem('safety-1', { ...item, itemId: 'a', response: null, detail: 'cut\0off' });

    expect(await safety.items('safety-1')).toEqual([
      { ...item, itemId: 'a', response: null, detail: 'cutoff' },
      item,
    ]);
    expect(await safety.items('another')).toEqual([]);
  });

  it('shows how far a check is, and in the end what came of it', async () => {
    const { safety, experiments, runs } = lineage();
    await safety.storeItem('safety-1', item);
    const during = (await runs.view('run-1')).experiments[0];
    const summary = summariseSafety('safety-1', [item]);

    await safety.close(summary);
    await experiments.setStage(spec.experimentId, 'checking', 'running');
    await experiments.close(aReport(spec, { safety: summary }));

    const after = (await runs.view('run-1')).experiments[0];
    expect(during?.checked).toEqual({ done: 1, total: 2 });
    expect(during).not.toHaveProperty('safety');
    expect(after?.safety).toEqual(summary);
  });

  it('shows that it could not be told', async () => {
    const unknown = { status: 'unknown', reason: 'no guardrails' } as const;

    await lineage().experiments.close(aReport(spec, { safety: unknown }));

    expect((await lineage().runs.view('run-1')).experiments[0]?.safety).toEqual(unknown);
  });
}
