import { beforeEach, expect, it } from 'vitest';
import type { Lineage } from '../../../activities/ports/lineage.ts';
import { anItem, approvedRun } from '../../support/lineage.ts';

export function judgementCases(lineage: () => Lineage): void {
  const judge = { provider: 'cloud', model: 'large', rubric: 'Be right.' };
  let evaluationId: string;
  const itemId = 'a';

  beforeEach(async () => {
    const { spec } = await approvedRun(lineage(), 'run-1');
    evaluationId = `eval-${spec.experimentId}`;
    await lineage().evaluations.storeItems(evaluationId, [anItem(itemId)]);
  });

  it('keeps the first judgement of an item by a judge, and another judge’s beside it', async () => {
    const { judgements } = lineage();
    const first = { score: 0.5, reason: 'half', failure: null } as const;
    const none = { score: null, reason: 'not a number\0', failure: 'unparsable' } as const;

    await judgements.store({ evaluationId, itemId, judgeId: 'a', judge, judgement: first });
    await judgements.store({ evaluationId, itemId, judgeId: 'a', judge, judgement: none });
    await judgements.store({ evaluationId, itemId, judgeId: 'b', judge, judgement: none });

    expect(await judgements.of(evaluationId, 'a')).toEqual(new Map([[itemId, first]]));
    expect(await judgements.of(evaluationId, 'b')).toEqual(
      new Map([[itemId, { ...none, reason: 'not a number' }]]),
    );
  });

  it('shows the summary with its experiment', async () => {
    const summary = { score: 0.5, n: 2, failed: 1, failures: { refusal: 1 } };

    await lineage().judgements.close(evaluationId, summary);

    const { experiments } = await lineage().runs.view('run-1');
    expect(experiments[0]?.judge).toEqual(summary);
  });
}
