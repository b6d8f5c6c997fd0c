import { describe, expect, it } from 'vitest';
import { readMessages, readTarget, readTools } from '../../../domain/records/parse-chat.ts';
import { calls, says } from '../support.ts';

function answer(message: object, finishReason = 'stop'): object {
  return { choices: [{ message, finish_reason: finishReason }] };
}

describe('readTarget', () => {
  it.each([
    ['as text', '{"year": 2025}', { year: 2025 }],
    ['as an object', { year: 2025 }, { year: 2025 }],
    ['left out', undefined, {}],
    ['null', null, {}],
    ['empty', ' ', {}],
  ])('reads arguments %s', (_, given, expected) => {
    const target = readTarget(answer({ tool_calls: [{ function: { name: 'w2', arguments: given } }] }));

    expect(target).toEqual({
      ok: true,
      value: { kind: 'tool_calls', calls: [{ name: 'w2', arguments: expected }] },
    });
  });

  it.each([
    ['cut JSON', '{"year":'],
    ['a JSON list', '[1]'],
    ['a JSON text', '"2025"'],
    ['half of a surrogate pair inside', '{"year":"\\ud83d"}'],
  ])('refuses arguments that are %s', (_, given) => {
    expect(readTarget(calls(['w2', given]))).toMatchObject({ ok: false, reason: 'unparsable_arguments' });
  });

  it('takes the first choice', () => {
    const response = { choices: [{ message: { content: 'first' } }, { message: { content: 'second' } }] };

    expect(readTarget(response)).toEqual({ ok: true, value: { kind: 'text', text: 'first' } });
  });

  it('joins text parts', () => {
    const message = {
      content: [
        { type: 'text', text: 'a' },
        { type: 'text', text: 'b' },
      ],
    };

    expect(readTarget(answer(message))).toMatchObject({ value: { text: 'ab' } });
  });

  it('prefers calls over the text beside them', () => {
    const message = { content: 'One moment.', tool_calls: [{ function: { name: 'w2', arguments: '{}' } }] };

    expect(readTarget(answer(message))).toMatchObject({ value: { kind: 'tool_calls' } });
  });

  it.each([
    ['no choices', {}, 'malformed_answer'],
    ['a null message', { choices: [{ message: null }] }, 'malformed_answer'],
    ['an empty text', says('  '), 'malformed_answer'],
    ['a call without a name', answer({ tool_calls: [{ function: {} }] }), 'malformed_answer'],
    [
      'a call of a kind that nobody knows',
      answer({ tool_calls: [{ type: 'w2', function: { name: 'w2' } }] }),
      'malformed_answer',
    ],
    [
      'a call of a custom tool',
      answer({ tool_calls: [{ type: 'custom', custom: { name: 'w2', input: 'x' } }] }),
      'unsupported_content',
    ],
    ['a spoken answer', answer({ content: null, audio: { id: 'a', data: 'AAAA' } }), 'unsupported_content'],
    ['an answer cut off by its caller', answer({ content: 'hal' }, 'cancelled'), 'incomplete_answer'],
    ['a refusal', answer({ content: null, refusal: 'I cannot.' }), 'refusal'],
    ['a filtered answer', answer({ content: null }, 'content_filter'), 'refusal'],
    ['an image', answer({ content: [{ type: 'image_url', image_url: {} }] }), 'unsupported_content'],
    ['nothing at all', null, 'malformed_answer'],
  ])('refuses %s', (_, response, reason) => {
    expect(readTarget(response)).toMatchObject({ ok: false, reason });
  });
});

describe('readMessages', () => {
  it('reads a tool loop', () => {
    const read = readMessages([
      { role: 'developer', content: [{ type: 'text', text: 'HR.' }] },
      { role: 'user', content: 'w2?' },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'c', function: { name: 'w2', arguments: { year: 1 } } }],
      },
      { role: 'tool', tool_call_id: 'c', content: 'sent' },
    ]);

    expect(read).toEqual({
      ok: true,
      value: [
        { role: 'developer', content: 'HR.' },
        { role: 'user', content: 'w2?' },
        { role: 'assistant', content: null, toolCalls: [{ id: 'c', name: 'w2', arguments: { year: 1 } }] },
        { role: 'tool', content: 'sent', toolCallId: 'c' },
      ],
    });
  });

  it.each([
    ['no list', undefined, 'malformed_messages'],
    ['an empty list', [], 'malformed_messages'],
    ['a user who says nothing', [{ role: 'user', content: null }], 'malformed_messages'],
    ['a spoken answer', [{ role: 'assistant', audio: { id: 'audio_1' } }], 'unsupported_content'],
    ['an audio part', [{ role: 'user', content: [{ type: 'input_audio' }] }], 'unsupported_content'],
  ])('refuses %s', (_, given, reason) => {
    expect(readMessages(given)).toMatchObject({ ok: false, reason });
  });
});

describe('readTools', () => {
  it.each([[undefined], [null], [[]]])('reads %s as no tools', (given) => {
    expect(readTools(given)).toEqual({ ok: true, value: [] });
  });

  it('refuses a tool without a name', () => {
    expect(readTools([{ type: 'function', function: {} }])).toMatchObject({
      ok: false,
      reason: 'malformed_tools',
    });
  });
});
