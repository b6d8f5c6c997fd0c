import { describe, expect, it } from 'vitest';
import { langfuse } from '../../../domain/imports/langfuse.ts';
import type { JsonObject } from '../../../domain/json.ts';
import { readAll, recordsOf, source } from './support.ts';

const tools = [
  { type: 'function', function: { name: 'payday', parameters: { type: 'object', properties: {} } } },
];
const messages = [
  { role: 'system', content: 'You are HR.' },
  { role: 'user', content: 'When is payday?' },
];
const called = {
  role: 'assistant',
  content: null,
  tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'payday', arguments: '{}' } }],
};

function observation(fields: JsonObject = {}): JsonObject {
  return {
    id: 'obs-1',
    traceId: 'trace-1',
    sessionId: 'session-1',
    type: 'GENERATION',
    name: 'route',
    startTime: '2025-05-01T10:00:00.000Z',
    endTime: '2025-05-01T10:00:00.750Z',
    model: 'gpt-4o-mini',
    modelParameters: { temperature: 0, max_tokens: 100 },
    input: { messages, tools },
    output: called,
    usageDetails: { input: 20, output: 5, total: 25 },
    level: 'DEFAULT',
    ...fields,
  };
}

/** As the blob storage export writes it: snake_case, and values that are structured as text. */
const exported = {
  id: 'obs-1',
  trace_id: 'trace-1',
  session_id: 'session-1',
  type: 'GENERATION',
  name: 'route',
  start_time: '2025-05-01 10:00:00.000000',
  end_time: '2025-05-01 10:00:00.750000',
  provided_model_name: 'gpt-4o-mini',
  model_parameters: '{"temperature":0,"max_tokens":100}',
  input: JSON.stringify({ messages, tools }),
  output: JSON.stringify(called),
  usage_details: { input: 20, output: 5 },
  level: 'DEFAULT',
};

function csv(row: Readonly<Record<string, unknown>>): string {
  const quoted = Object.values(row).map((value) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    return `"${text.replaceAll('"', '""')}"`;
  });
  return `\uFEFF${Object.keys(row).join(',')}\n${quoted.join(',')}\n`;
}

describe('langfuse', () => {
  it.each([
    ['the API, a page', JSON.stringify({ data: [observation()], meta: { cursor: null } })],
    ['an export as JSON', JSON.stringify([observation()], null, 2)],
    ['an export as JSON Lines', `${JSON.stringify(observation())}\n`],
    ['an export as CSV', csv(observation())],
    ['the blob storage export', JSON.stringify(exported)],
    ['the blob storage export as CSV', csv(exported)],
    [
      'the download of a trace',
      JSON.stringify({
        id: 'trace-1',
        sessionId: 'session-1',
        observations: [observation({ traceId: null, sessionId: null })],
        scores: [],
      }),
    ],
  ])('reads a generation of %s', async (_, text) => {
    const rows = await readAll(langfuse, source(text));

    const [record] = recordsOf(rows);
    expect(rows).toHaveLength(1);
    expect(record).toMatchObject({
      id: 'trace-1-obs-1',
      timestamp: '2025-05-01T10:00:00.000Z',
      latencyMs: 750,
      conversationId: 'session-1',
      model: 'gpt-4o-mini',
      request: { model: 'gpt-4o-mini', messages, tools, temperature: 0, max_tokens: 100 },
      response: {
        choices: [{ message: called, finish_reason: 'tool_calls' }],
        usage: { prompt_tokens: 20, completion_tokens: 5, total_tokens: 25 },
      },
      extra: { source: { format: 'langfuse', name: 'route' } },
    });
  });

  it.each([
    ['plain texts', 'hi', 'hello'],
    ['a chat completion', messages, { choices: [{ message: { role: 'assistant', content: 'hello' } }] }],
    ['a list that ends in the answer', messages, [...messages, { role: 'assistant', content: 'hello' }]],
    [
      'Anthropic’s blocks',
      [{ role: 'user', content: [{ type: 'text', text: 'hi' }] }],
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: 'hm' },
          { type: 'text', text: 'hello' },
        ],
      },
    ],
  ])('reads %s', async (_, input, output) => {
    const [record] = recordsOf(
      await readAll(langfuse, source(JSON.stringify(observation({ input, output })))),
    );

    expect(record?.request.messages).toEqual(
      typeof input === 'string' || input !== messages ? [{ role: 'user', content: 'hi' }] : messages,
    );
    expect(record?.response).toMatchObject({
      choices: [{ message: { role: 'assistant', content: 'hello' } }],
    });
  });

  it('turns Anthropic’s tool use and its results into calls and tool messages', async () => {
    const input = [
      { role: 'user', content: 'Weather?' },
      {
        role: 'assistant',
        content: [{ type: 'tool_use', id: 't1', name: 'weather', input: { city: 'Rome' } }],
      },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 't1', content: 'sun' },
          { type: 'text', text: 'And tomorrow?' },
        ],
      },
    ];

    const [record] = recordsOf(await readAll(langfuse, source(JSON.stringify(observation({ input })))));

    expect(record?.request.messages).toEqual([
      { role: 'user', content: 'Weather?' },
      {
        role: 'assistant',
        content: null,
        tool_calls: [
          { id: 't1', type: 'function', function: { name: 'weather', arguments: '{"city":"Rome"}' } },
        ],
      },
      { role: 'tool', content: 'sun', tool_call_id: 't1' },
      { role: 'user', content: 'And tomorrow?' },
    ]);
  });

  it('sets aside what is no call, failed, or holds no messages', async () => {
    const lines = [
      observation({ type: 'SPAN' }),
      observation({ output: null, level: 'ERROR', statusMessage: 'rate limited' }),
      observation({ input: { city: 'Rome' } }),
      observation({ output: null }),
      observation({ startTime: 'soon' }),
      'text',
    ];

    const rows = await readAll(langfuse, source(lines.map((line) => JSON.stringify(line)).join('\n')));

    expect(rows.map((row) => 'reason' in row && row.reason)).toEqual([
      'not_a_model_call',
      'failed_call',
      'no_messages',
      'no_answer',
      'invalid_timestamp',
      'not_an_object',
    ]);
  });

  it('refuses a table that is not one of observations', async () => {
    await expect(readAll(langfuse, source('id,name\n1,x\n'))).rejects.toThrow(
      /no column type, input, output/,
    );
  });
});
