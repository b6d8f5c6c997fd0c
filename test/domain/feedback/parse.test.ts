import { describe, expect, it } from 'vitest';
import { parseFeedback } from '../../../domain/feedback/parse.ts';
import type { JsonObject } from '../../../domain/json.ts';
import { aFeedback } from '../../support/feedback.ts';

describe('feedback on the wire', () => {
  it('reads what it is about, who said it and when', () => {
    const feedback = aFeedback({
      ...{ conversation_id: 'c1', workload_id: 'hr', kind: 'thumbs', value: 'down' },
      ...{ comment: '  wrong city ', author: 'anna', timestamp: 1_767_322_245 },
    });

    expect(feedback).toEqual({
      id: expect.stringMatching(/^fb_[0-9a-f]{32}$/),
      hash: expect.stringMatching(/^[0-9a-f]{64}$/),
      recordId: 'rec_1',
      conversationId: 'c1',
      workloadId: 'hr',
      clientId: 'web',
      kind: 'thumbs',
      name: null,
      value: 'down',
      comment: 'wrong city',
      author: 'anna',
      givenAt: '2026-01-02T02:50:45.000Z',
    });
  });

  it('makes an assistant message of a corrected text', () => {
    expect(aFeedback({ kind: 'correction', value: 'Bern' }).value).toEqual({
      role: 'assistant',
      content: 'Bern',
    });
  });

  it('fills in what the caller knows, and lets the feedback’s own fields win', () => {
    const defaults = { workloadId: 'hr', clientId: 'web', author: 'ci' };

    const parsed = parseFeedback({ record_id: 'r', kind: 'score', value: 1, author: 'anna' }, defaults);

    expect(parsed).toMatchObject({
      feedback: { workloadId: 'hr', clientId: 'web', author: 'anna' },
    });
  });

  const refused: readonly (readonly [string, JsonObject | string])[] = [
    ['not_an_object', 'thumbs up'],
    ['missing_record_id', { kind: 'thumbs', value: 'up' }],
    ['missing_kind', { record_id: 'r', value: 'up' }],
    ['invalid_kind', { record_id: 'r', kind: 'stars', value: 5 }],
    ['missing_value', { record_id: 'r', kind: 'thumbs' }],
    ['invalid_value', { record_id: 'r', kind: 'thumbs', value: 1 }],
    ['invalid_value', { record_id: 'r', kind: 'score', value: 5 }],
    ['invalid_value', { record_id: 'r', kind: 'correction', value: { role: 'user', content: 'x' } }],
    ['invalid_value', { record_id: 'r', kind: 'demonstration', value: [{ role: 'user', content: 'x' }] }],
    ['invalid_value', { record_id: 'r', kind: 'outcome', value: { reward: 1 } }],
    ['missing_name', { record_id: 'r', kind: 'signal', value: true }],
    ['invalid_name', { record_id: 'r', kind: 'thumbs', value: 'up', name: 'x' }],
    ['missing_comment', { record_id: 'r', kind: 'comment' }],
    ['invalid_timestamp', { record_id: 'r', kind: 'thumbs', value: 'up', timestamp: 'yesterday' }],
    ['invalid_recordid', { record_id: 'r', kind: 'thumbs', value: 'up', recordid: 'r' }],
    ['invalid_text', { record_id: 'r', kind: 'comment', comment: 'nul\0' }],
  ];
  it.each(refused)('refuses with %s: %j', (reason, wire) => {
    expect(parseFeedback(wire)).toMatchObject({ ok: false, reason, detail: expect.stringMatching(/\.$/) });
  });
});

describe('the identity of feedback', () => {
  it('is its content where no key is given', () => {
    const up = aFeedback({ kind: 'thumbs', value: 'up' });

    expect(aFeedback({ value: 'up', kind: 'thumbs' })).toEqual(up);
    expect(aFeedback({ kind: 'thumbs', value: 'down' }).id).not.toBe(up.id);
    expect(aFeedback({ kind: 'thumbs', value: 'up', timestamp: 1_767_322_245 }).id).not.toBe(up.id);
  });

  it('is the key of its client where one is given', () => {
    const first = aFeedback({ key: '1', kind: 'thumbs', value: 'up' });

    expect(aFeedback({ key: '1', kind: 'thumbs', value: 'down' })).toMatchObject({ id: first.id });
    expect(aFeedback({ key: '1', kind: 'thumbs', value: 'down' }).hash).not.toBe(first.hash);
    expect(aFeedback({ key: '1', kind: 'thumbs', value: 'up', client_id: 'app' }).id).not.toBe(first.id);
  });
});
