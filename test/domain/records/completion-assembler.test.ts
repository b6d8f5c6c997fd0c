import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../domain/json.ts';
import { CompletionAssembler } from '../../../domain/records/completion-assembler.ts';
import { parseRecord } from '../../../domain/records/parse.ts';
import { readTarget } from '../../../domain/records/parse-chat.ts';

function assembled(chunks: readonly JsonObject[], unfinished?: string): JsonObject | null {
  const assembler = new CompletionAssembler();
  for (const each of chunks) assembler.add(each);
  return assembler.completion(unfinished);
}

const head = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'big-1' };

function chunk(delta: JsonObject, rest: JsonObject = {}, index = 0): JsonObject {
  return { ...head, choices: [{ index, delta, finish_reason: null, ...rest }] };
}

describe('a streamed completion', () => {
  test('in text is the completion that would have come in one piece', () => {
    const completion = assembled([
      chunk({ role: 'assistant', content: '', refusal: null }),
      chunk({ content: 'Hel' }),
      chunk({ content: 'lo' }),
      chunk({}, { finish_reason: 'stop' }),
      {
        ...head,
        choices: [],
        usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
      },
    ]);

    expect(completion).toEqual({
      ...head,
      object: 'chat.completion',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'Hello', refusal: null },
          finish_reason: 'stop',
        },
      ],
      usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
    });
  });

  test('with two tool calls, whose pieces alternate, has both of them whole and in order', () => {
    const call = (index: number, fields: JsonObject) => chunk({ tool_calls: [{ index, ...fields }] });
    const completion = assembled([
      chunk({ role: 'assistant', content: null }),
      call(0, { id: 'a', type: 'function', function: { name: 'pay', arguments: '' } }),
      call(0, { function: { arguments: '{"n"' } }),
      call(1, { id: 'b', type: 'function', function: { name: 'ask', arguments: '{' } }),
      call(0, { function: { arguments: ':1}' } }),
      call(1, { function: { arguments: '}' } }),
      chunk({}, { finish_reason: 'tool_calls' }),
    ]);

    expect(readTarget(completion)).toEqual({
      ok: true,
      value: {
        kind: 'tool_calls',
        calls: [
          { id: 'a', name: 'pay', arguments: { n: 1 } },
          { id: 'b', name: 'ask', arguments: {} },
        ],
      },
    });
    expect(JSON.stringify(completion)).toContain('"tool_calls":[{"id":"a","type":"function"');
  });

  test('that began with an empty piece and came to tool calls alone has no words, as a whole answer has not', () => {
    const call = { index: 0, id: 'a', type: 'function', function: { name: 'pay', arguments: '{}' } };
    const completion = assembled([
      chunk({ role: 'assistant', content: '' }),
      chunk({ tool_calls: [call] }),
      chunk({}, { finish_reason: 'tool_calls' }),
    ]);

    expect(completion).toMatchObject({
      choices: [{ message: { content: null, tool_calls: [{ id: 'a' }] } }],
    });
  });

  test('several pieces of tool calls in one chunk go each to its own', () => {
    const completion = assembled([
      chunk({
        tool_calls: [
          { index: 0, id: 'a', function: { name: 'f', arguments: '{' } },
          { index: 1, id: 'b', function: { name: 'g', arguments: '{}' } },
          { index: 0, function: { arguments: '}' } },
        ],
      }),
    ]);

    expect(completion).toMatchObject({
      choices: [
        { message: { tool_calls: [{ function: { arguments: '{}' } }, { function: { arguments: '{}' } }] } },
      ],
    });
  });

  test('survives providers that repeat names and ids, and keeps what it does not know', () => {
    const piece = (text: string) =>
      chunk(
        {
          role: 'assistant',
          reasoning_content: text,
          tool_calls: [{ index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: text } }],
        },
        { content_filter_results: { hate: { severity: 'safe' } } },
      );

    const completion = assembled([piece('{'), piece('}'), { ...head, choices: [], x_cost: 7 }]);

    expect(completion).toMatchObject({
      x_cost: 7,
      choices: [
        {
          content_filter_results: { hate: { severity: 'safe' } },
          message: {
            role: 'assistant',
            reasoning_content: '{}',
            tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } }],
          },
        },
      ],
    });
  });

  test('with several choices and log probabilities keeps each by itself', () => {
    const completion = assembled([
      chunk({ content: 'b' }, { logprobs: { content: [{ token: 'b', logprob: -1 }] } }, 1),
      chunk({ content: 'a' }, { logprobs: { content: [{ token: 'a', logprob: -2 }] } }, 0),
      chunk(
        { content: 'B' },
        { logprobs: { content: [{ token: 'B', logprob: -3 }] }, finish_reason: 'stop' },
        1,
      ),
    ]);

    expect(completion?.choices).toMatchObject([
      { index: 0, message: { content: 'a' }, finish_reason: null },
      {
        index: 1,
        message: { content: 'bB' },
        logprobs: { content: [{ token: 'b' }, { token: 'B' }] },
        finish_reason: 'stop',
      },
    ]);
  });

  test('that broke off says so where a choice never ended', () => {
    const chunks = [
      chunk({ content: 'done' }, { finish_reason: 'stop' }, 0),
      chunk({ content: 'hal' }, {}, 1),
    ];

    expect(assembled(chunks, 'cancelled')?.choices).toMatchObject([
      { finish_reason: 'stop' },
      { finish_reason: 'cancelled' },
    ]);
  });

  test('of which no choice came is none', () => {
    expect(assembled([])).toBeNull();
    expect(assembled([{ ...head, choices: [] }])).toBeNull();
    expect(assembled([{ error: { message: 'overloaded' } }])).toBeNull();
  });

  test('makes a record like any other, whatever keys a provider sends', () => {
    const hostile = JSON.parse('{"__proto__": {"polluted": true}, "content": "hi"}') as JsonObject;

    const response = assembled([chunk(hostile)]) ?? {};

    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    expect(
      parseRecord({
        timestamp: '2026-01-01T00:00:00Z',
        workload_id: 'w',
        client_id: 'c',
        request: { messages: [{ role: 'user', content: 'hi' }] },
        response,
      }),
    ).toMatchObject({ ok: true, record: { model: 'big-1' } });
  });
});
