import { describe, expect, test } from 'vitest';
import { applyFeedback } from '../../../domain/datasets/apply-feedback.ts';
import { curate } from '../../../domain/datasets/curate.ts';
import type { FeedbackKind, StoredFeedback } from '../../../domain/feedback/feedback.ts';
import type { Json, JsonObject } from '../../../domain/json.ts';
import { calls, request, says, stored } from '../support.ts';

const record = stored({ id: 'r1', request: request('when is payday'), response: calls(['w2', {}]) });

function said(kind: FeedbackKind, value: Json, more: Partial<StoredFeedback> = {}): StoredFeedback {
  const about = { recordId: 'r1', conversationId: null, workloadId: 'hr', clientId: 'c1' };
  const source = { name: null, comment: null, author: 'ana', givenAt: null, hash: '' };
  return { id: `fb_${kind}`, ...about, ...source, kind, value, storedAt: '2026-03-03T00:00:00Z', ...more };
}

const onConversation = { recordId: null, conversationId: 'c' };
const payday: JsonObject = {
  role: 'assistant',
  content: null,
  tool_calls: [{ id: 'a', type: 'function', function: { name: 'payday', arguments: '{}' } }],
};

describe('feedback on a record', () => {
  test('a correction becomes its target, as if a person had answered', () => {
    const heard = applyFeedback(record, [said('thumbs', 'down'), said('correction', payday)]);

    expect(heard).toMatchObject({
      by: 'fb_correction',
      record: {
        id: 'r1',
        request: record.request,
        response: { choices: [{ message: payday, finish_reason: 'tool_calls' }] },
        responseSource: 'gold',
      },
    });
  });

  test('of several corrections the first counts: the newest', () => {
    const pieces = [
      said('correction', { role: 'assistant', content: 'new' }),
      said('correction', { role: 'assistant', content: 'old' }, { id: 'fb_old' }),
    ];

    expect(applyFeedback(record, pieces)).toMatchObject({
      record: { response: { choices: [{ message: { content: 'new' }, finish_reason: 'stop' }] } },
    });
  });

  test('a demonstration that begins with its user replaces the conversation, but its instructions', () => {
    const steps = [{ role: 'user', content: 'payday?' }, payday];

    expect(applyFeedback(record, [said('demonstration', steps)])).toMatchObject({
      record: { request: { messages: [{ role: 'system', content: 'HR.' }, steps[0]] } },
    });
  });

  test('a demonstration of further steps goes on from the request', () => {
    const steps = [
      payday,
      { role: 'tool', tool_call_id: 'a', content: '25th' },
      { role: 'assistant', content: 'The 25th.' },
    ];

    const { record: redone } = applyFeedback(record, [said('demonstration', steps)]);

    expect(redone?.request.messages).toEqual([...(record.request.messages as Json[]), ...steps.slice(0, 2)]);
    expect(redone?.response).toMatchObject({ choices: [{ message: { content: 'The 25th.' } }] });
  });

  test.each([
    ['thumbs down', [said('thumbs', 'down')], 'thumbs_down'],
    ['an outcome of false', [said('outcome', false, { name: 'resolved' })], 'failed_outcome'],
    ['a reward of 0', [said('outcome', 0, { name: 'reward' })], 'failed_outcome'],
    ['an outcome that says so', [said('outcome', 'Failed')], 'failed_outcome'],
    ['thumbs down on its conversation', [said('thumbs', 'down', onConversation)], 'thumbs_down'],
    [
      'one failed outcome beside a good one of another name',
      [said('outcome', true, { name: 'resolved' }), said('outcome', 0, { name: 'reward' })],
      'failed_outcome',
    ],
  ])('%s leaves it out', (_, pieces, reason) => {
    expect(applyFeedback(record, pieces)).toMatchObject({ record: null, reason });
  });

  test.each([
    ['thumbs up after a down', [said('thumbs', 'up'), said('thumbs', 'down')]],
    [
      'thumbs up, on a conversation that got a down',
      [said('thumbs', 'up'), said('thumbs', 'down', onConversation)],
    ],
    ['an outcome that was set right', [said('outcome', true), said('outcome', false)]],
    ['an outcome in words of its own', [said('outcome', 'escalated')]],
    ['a low score', [said('score', 0)]],
    ['a signal', [said('signal', false, { name: 'copied' })]],
    ['a comment', [said('comment', null, { comment: 'bad!' })]],
    ['a correction of the conversation, which says not where', [said('correction', payday, onConversation)]],
  ])('%s leaves it as it is', (_, pieces) => {
    expect(applyFeedback(record, pieces)).toEqual({ record, by: null });
  });
});

describe('a dataset in the light of feedback', () => {
  const options = { seed: 7, validationShare: 0.1, minRecords: 10 };
  const records = Array.from({ length: 14 }, (_, n) =>
    stored({ id: `r${n}`, request: request(`question ${n}`), response: calls(['w2', {}]) }),
  );
  const own = stored({
    ...{ id: 'own', request: request('asked of us'), response: says('I do not know.') },
    response_source: 'flywheel',
  });
  const feedback = new Map([
    ['r0', [said('thumbs', 'down', { recordId: 'r0' })]],
    ['r1', [said('correction', payday)]],
    ['r2', [said('correction', { role: 'assistant', content: null, tool_calls: [] }, { recordId: 'r2' })]],
    ['own', [said('correction', payday, { recordId: 'own', id: 'fb_own' })]],
  ]);

  test('holds the corrected answers, and says for which feedback records were left out or corrected', async () => {
    const { splits, dropped, manifest } = await curate([...records, own], { ...options, feedback });

    const all = Object.values(splits).flat();
    expect(dropped).toEqual({ thumbs_down: 1, unusable_correction: 1 });
    expect(manifest.droppedRecords).toEqual([
      { recordId: 'r0', reason: 'thumbs_down', feedbackId: 'fb_thumbs' },
      { recordId: 'r2', reason: 'unusable_correction', feedbackId: 'fb_correction' },
    ]);
    expect(manifest.corrected).toBe(2);
    // An answer of a promoted model is no target; a person's in its place is.
    expect(all.find(({ recordId }) => recordId === 'own')).toMatchObject({
      ...{ label: 'payday', correctedBy: 'fb_own' },
      target: { kind: 'tool_calls', calls: [{ name: 'payday' }] },
    });
    expect(all.find(({ recordId }) => recordId === 'r1')).toMatchObject({ correctedBy: 'fb_correction' });
  });

  test('is the one that it always was where nothing was said', async () => {
    const [without, empty] = [
      await curate(records, options),
      await curate(records, { ...options, feedback: new Map() }),
    ];

    expect(empty.hash).toBe(without.hash);
    expect(without.manifest).not.toHaveProperty('corrected');
  });

  test('blanks out of a correction what the policy names', async () => {
    const answer = { role: 'assistant', content: 'Write to ana@example.org.' };
    const { splits } = await curate(records, {
      ...options,
      redaction: { kinds: ['email'], patterns: {} },
      feedback: new Map([['r1', [said('correction', answer)]]]),
    });

    const corrected = Object.values(splits)
      .flat()
      .find(({ recordId }) => recordId === 'r1');
    expect(corrected?.target).toMatchObject({ text: 'Write to [email].' });
  });
});
