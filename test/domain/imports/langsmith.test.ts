import { describe, expect, it } from 'vitest';
import { langsmith } from '../../../domain/imports/langsmith.ts';
import type { JsonObject } from '../../../domain/json.ts';
import { readAll, reasonsOf, recordsOf, source } from './support.ts';

const messages = [{ role: 'user', content: 'When is payday?' }];
const tools = [
  { type: 'function', function: { name: 'payday', parameters: { type: 'object', properties: {} } } },
];
const call = { id: 'call_1', type: 'function', function: { name: 'payday', arguments: '{}' } };

function run(fields: JsonObject = {}): JsonObject {
  return {
    id: '0191e6a5-0000-7000-8000-000000000001',
    trace_id: '0191e6a5-0000-7000-8000-000000000000',
    name: 'ChatOpenAI',
    run_type: 'llm',
    // LangSmith leaves the zone out; it is UTC.
    start_time: '2025-05-01T10:00:00.000000',
    end_time: '2025-05-01T10:00:00.500000',
    inputs: { messages, tools, model: 'gpt-4o-mini', temperature: 0 },
    outputs: {
      choices: [
        { message: { role: 'assistant', content: null, tool_calls: [call] }, finish_reason: 'tool_calls' },
      ],
    },
    extra: { metadata: { ls_model_name: 'gpt-4o-mini', thread_id: 'thread-1' } },
    prompt_tokens: 20,
    completion_tokens: 5,
    ...fields,
  };
}

const constructor = (name: string, kwargs: JsonObject): JsonObject => ({
  lc: 1,
  type: 'constructor',
  id: ['langchain', 'schema', 'messages', name],
  kwargs,
});

const langchain = {
  inputs: {
    messages: [
      [
        constructor('SystemMessage', { content: 'You are HR.' }),
        constructor('HumanMessage', { content: 'When is payday?' }),
        constructor('AIMessage', {
          content: '',
          tool_calls: [{ name: 'payday', args: {}, id: 'call_1', type: 'tool_call' }],
        }),
        constructor('ToolMessage', { content: 'Friday', tool_call_id: 'call_1' }),
      ],
    ],
  },
  outputs: {
    generations: [
      [
        {
          text: 'On Friday.',
          generation_info: { finish_reason: 'stop' },
          message: constructor('AIMessage', { content: 'On Friday.' }),
        },
      ],
    ],
    llm_output: {},
  },
  extra: {
    invocation_params: { model: 'gpt-4o-mini', tools, temperature: 0.5 },
    metadata: {},
  },
};

describe('langsmith', () => {
  it.each([
    ['JSON Lines', JSON.stringify(run())],
    ['a page of the API', JSON.stringify({ runs: [run()], cursors: {} })],
    ['a list', JSON.stringify([run()], null, 1)],
    [
      'a table, with structured values as text',
      JSON.stringify(
        run({
          inputs: JSON.stringify(run().inputs),
          outputs: JSON.stringify(run().outputs),
          extra: JSON.stringify(run().extra),
        }),
      ),
    ],
  ])('reads an OpenAI call from %s', async (_, text) => {
    const [record] = recordsOf(await readAll(langsmith, source(text)));

    expect(record).toMatchObject({
      id: '0191e6a5-0000-7000-8000-000000000001',
      timestamp: '2025-05-01T10:00:00.000Z',
      latencyMs: 500,
      conversationId: 'thread-1',
      model: 'gpt-4o-mini',
      request: { messages, tools, temperature: 0 },
      response: {
        choices: [{ message: { tool_calls: [call] }, finish_reason: 'tool_calls' }],
        usage: { prompt_tokens: 20, completion_tokens: 5 },
      },
    });
  });

  it('reads LangChain’s own messages, tools and generations', async () => {
    const [record] = recordsOf(await readAll(langsmith, source(JSON.stringify(run(langchain)))));

    expect(record?.request).toEqual({
      model: 'gpt-4o-mini',
      temperature: 0.5,
      tools,
      messages: [
        { role: 'system', content: 'You are HR.' },
        { role: 'user', content: 'When is payday?' },
        { role: 'assistant', content: '', tool_calls: [call] },
        { role: 'tool', content: 'Friday', tool_call_id: 'call_1' },
      ],
    });
    expect(record?.response).toMatchObject({
      choices: [{ message: { role: 'assistant', content: 'On Friday.' }, finish_reason: 'stop' }],
    });
    expect(record?.conversationId).toBe('0191e6a5-0000-7000-8000-000000000000');
  });

  it.each([
    ['a message', { role: 'assistant', content: 'Friday' }],
    ['messages', { messages: [{ role: 'assistant', content: 'Friday' }] }],
    ['an output', { output: { type: 'ai', content: 'Friday' } }],
    ['LangChain v1 blocks', { messages: [{ type: 'ai', content: [{ type: 'text', text: 'Friday' }] }] }],
    ['a text', { output: 'Friday' }],
  ])('reads an answer that is %s', async (_, outputs) => {
    const [record] = recordsOf(await readAll(langsmith, source(JSON.stringify(run({ outputs })))));

    expect(record?.response).toMatchObject({
      choices: [{ message: { role: 'assistant', content: 'Friday' } }],
    });
  });

  it('reads the calls within a chain, and sets aside the chain and what failed', async () => {
    const chain = run({
      id: 'chain',
      run_type: 'chain',
      child_runs: [run(), run({ id: 'tool', run_type: 'tool' })],
    });
    const failed = run({ id: 'failed', outputs: null, error: 'RateLimitError' });
    const odd = run({ id: 'odd', inputs: { city: 'Rome' } });

    const rows = await readAll(
      langsmith,
      source([chain, failed, odd, 7].map((each) => JSON.stringify(each)).join('\n')),
    );

    expect(recordsOf(rows)).toHaveLength(1);
    expect(reasonsOf(rows)).toEqual({
      not_a_model_call: 2,
      failed_call: 1,
      no_messages: 1,
      not_an_object: 1,
    });
    expect(rows.find((row) => 'reason' in row && row.reason === 'failed_call')).toMatchObject({
      detail: 'RateLimitError',
    });
  });
});
