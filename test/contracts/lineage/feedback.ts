import { expect, it } from 'vitest';
import type { Lineage } from '../../../activities/ports/lineage.ts';
import { aFeedback } from '../../support/feedback.ts';
import { approvedRun, aServing } from '../../support/lineage.ts';

export function feedbackCases(lineage: () => Lineage): void {
  it('keeps feedback of every kind as it was given', async () => {
    const given = [
      aFeedback({ kind: 'thumbs', value: 'down', comment: 'wrong city', author: 'anna' }),
      aFeedback({ kind: 'score', name: 'helpfulness', value: 0.25 }),
      aFeedback({ kind: 'correction', value: { role: 'assistant', content: 'Bern' } }),
      aFeedback({ kind: 'demonstration', value: [{ role: 'assistant', content: 'Bern' }] }),
      aFeedback({ kind: 'outcome', name: 'reward', value: 1, timestamp: '2026-01-02T03:04:05Z' }),
      aFeedback({ kind: 'signal', name: 'copied', value: false }),
      aFeedback({ kind: 'comment', comment: 'thanks' }),
    ];

    expect(await lineage().feedback.add(given)).toEqual(given.map(() => 'stored'));

    const stored = await lineage().feedback.list({ recordIds: ['rec_1'] });
    expect(stored).toEqual(
      given.toReversed().map((piece) => ({ ...piece, storedAt: expect.stringMatching(/^\d{4}-.*Z$/) })),
    );
  });

  it('stores the same feedback once, in one call, in two, and at once', async () => {
    const { feedback } = lineage();
    const piece = aFeedback({ kind: 'thumbs', value: 'up' });

    expect(await feedback.add([piece, piece])).toEqual(['stored', 'duplicate']);
    expect(await feedback.add([piece])).toEqual(['duplicate']);
    const other = aFeedback({ kind: 'thumbs', value: 'up', record_id: 'rec_2' });
    const raced = await Promise.all(Array.from({ length: 5 }, () => feedback.add([other])));

    expect(raced.flat().sort()).toEqual([...Array(4).fill('duplicate'), 'stored']);
    expect(await feedback.list({})).toHaveLength(2);
  });

  it('says so when a key was used for something else, and keeps the first', async () => {
    const { feedback } = lineage();
    const first = aFeedback({ key: 'k1', kind: 'thumbs', value: 'up' });
    const second = aFeedback({ key: 'k1', kind: 'thumbs', value: 'down' });

    expect(await feedback.add([first])).toEqual(['stored']);
    expect(await feedback.add([second, first])).toEqual(['conflict', 'duplicate']);

    expect((await feedback.list({})).map(({ value }) => value)).toEqual(['up']);
  });

  it('finds feedback by record, by conversation, by workload and by kind', async () => {
    const { feedback } = lineage();
    await feedback.add([
      aFeedback({ kind: 'thumbs', value: 'up', record_id: 'rec_1', workload_id: 'hr' }),
      aFeedback({ kind: 'outcome', value: 1, record_id: null, conversation_id: 'c1', workload_id: 'hr' }),
      aFeedback({ kind: 'thumbs', value: 'up', record_id: 'rec_9', workload_id: 'it' }),
    ]);
    const kinds = async (filter: Parameters<typeof feedback.list>[0]) =>
      (await feedback.list(filter)).map(({ kind }) => kind);

    expect(await kinds({ recordIds: ['rec_1'] })).toEqual(['thumbs']);
    expect(await kinds({ recordIds: ['rec_1'], conversationIds: ['c1'] })).toEqual(['outcome', 'thumbs']);
    expect(await kinds({ recordIds: [] })).toEqual([]);
    expect(await kinds({ workloadId: 'hr', kind: 'outcome' })).toEqual(['outcome']);
    expect(await kinds({ limit: 1 })).toEqual(['thumbs']);
    expect(await feedback.counts('hr')).toEqual({ thumbs: 1, outcome: 1 });
    expect(await feedback.counts('nothing')).toEqual({});
  });

  it('is shown with the run and the route whose dataset holds its records', async () => {
    const { feedback, runs, routes } = lineage();
    await approvedRun(lineage(), 'run-1');
    await routes.move({
      ...{ moveId: 'm1', workloadId: 'hr', serving: aServing('ft:1'), digest: 'd', runId: 'run-1' },
      ...{ kind: 'promotion', actor: 'ada', reason: 'a test' },
    });
    expect(await runs.view('run-1')).not.toHaveProperty('feedback');

    await feedback.add([
      aFeedback({ kind: 'thumbs', value: 'up', record_id: 'rec_1' }),
      aFeedback({ kind: 'thumbs', value: 'down', record_id: 'rec_3' }),
      aFeedback({ kind: 'correction', value: 'Bern', record_id: 'rec_3' }),
      aFeedback({ kind: 'thumbs', value: 'up', record_id: 'rec_elsewhere' }),
    ]);

    expect((await runs.view('run-1')).feedback).toEqual({ thumbs: 2, correction: 1 });
    expect((await routes.trace('hr')).feedback).toEqual({ thumbs: 2, correction: 1 });
  });

  it('takes an import of several thousand', async () => {
    const many = Array.from({ length: 2_500 }, (_, n) =>
      aFeedback({ kind: 'score', value: n / 2_500, record_id: `rec_${n}` }),
    );

    expect(new Set(await lineage().feedback.add(many))).toEqual(new Set(['stored']));
    expect(await lineage().feedback.add([])).toEqual([]);
  });
}
