import { expect, it } from 'vitest';
import type { Lineage } from '../../../activities/ports/lineage.ts';
import type { SplitName } from '../../../domain/datasets/dataset.ts';
import { aMembership, anItem, approvedRun } from '../../support/lineage.ts';

export function recordCases(lineage: () => Lineage): void {
  const inSplit = (split: SplitName) => aMembership.find((one) => one.split === split)?.recordId ?? '';
  const [learned, asked] = [inSplit('train'), inSplit('eval')];

  it('leads from a record that was learned to its model and to the routes that served it', async () => {
    const { digest, serving } = await approvedRun(lineage(), 'run-1');
    const move = { workloadId: 'hr', digest, runId: 'run-1', actor: 'ada', reason: 'a test' };
    await lineage().routes.move({ ...move, moveId: 'm1', serving, kind: 'promotion' });
    await lineage().routes.move({ ...move, moveId: 'm2', serving: null, kind: 'rollback' });

    const trace = await lineage().records.trace(learned);

    expect(trace).toMatchObject({
      recordId: learned,
      datasets: [{ datasetId: 'data-run-1', workload: 'hr', runId: 'run-1', split: 'train' }],
      adapters: [{ model: serving.model, runId: 'run-1', split: 'train' }],
      evaluations: [],
      moves: [{ workload: 'hr', version: 1, model: serving.model, current: false }],
    });
  });

  it('leads from a record that was asked to what was answered, and to no model', async () => {
    const { spec } = await approvedRun(lineage(), 'run-1');
    const item = anItem(asked, { recordId: asked, scores: { call_accuracy: 1 } });
    await lineage().evaluations.storeItems(`eval-${spec.experimentId}`, [item]);

    const trace = await lineage().records.trace(asked);

    expect(trace.datasets).toMatchObject([{ split: 'eval' }]);
    expect(trace.adapters).toEqual([]);
    expect(trace.moves).toEqual([]);
    expect(trace.evaluations).toEqual([
      {
        runId: 'run-1',
        candidate: spec.candidate.name,
        strategy: 'lora',
        evaluationId: `eval-${spec.experimentId}`,
        failure: null,
        scores: { call_accuracy: 1 },
      },
    ]);
  });

  it('is empty for a record that no dataset holds', async () => {
    expect(await lineage().records.trace('nobody')).toEqual({
      recordId: 'nobody',
      datasets: [],
      adapters: [],
      evaluations: [],
      moves: [],
    });
  });
}
