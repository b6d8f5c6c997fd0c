import { describe, expect, it } from 'vitest';
import { toExample } from '../../../domain/datasets/to-example.ts';
import { openaiStored } from '../../../domain/imports/openai-stored.ts';
import type { JsonObject } from '../../../domain/json.ts';
import { readAll, reasonsOf, recordsOf, source } from './support.ts';

const tools = [
  { type: 'function', function: { name: 'payday', parameters: { type: 'object', properties: {} } } },
];

/** As the API reference shows a listed completion, with the messages of its own endpoint added. */
function stored(fields: JsonObject = {}): JsonObject {
  return {
    object: 'chat.completion',
    id: 'chatcmpl-AyPNinnUqUDYo9SAdA52NobMflmj2',
    model: 'gpt-4o-2024-08-06',
    created: 1738960610,
    request_id: 'req_ded8ab984ec4bf840f37566c1011c417',
    tool_choice: null,
    usage: { total_tokens: 31, completion_tokens: 18, prompt_tokens: 13 },
    seed: 49441168,
    top_p: 1.0,
    temperature: 1.0,
    presence_penalty: 0.0,
    frequency_penalty: 0.0,
    system_fingerprint: 'fp_50cad350e4',
    input_user: null,
    service_tier: 'default',
    tools,
    metadata: { conversation_id: 'conv-1' },
    choices: [
      {
        index: 0,
        message: {
          content: null,
          role: 'assistant',
          tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'payday', arguments: '{}' } }],
          function_call: null,
        },
        finish_reason: 'tool_calls',
        logprobs: null,
      },
    ],
    response_format: null,
    messages: {
      object: 'list',
      data: [
        { id: 'chatcmpl-Ay-0', role: 'user', content: 'When is payday?', name: null, content_parts: null },
      ],
      has_more: false,
    },
    ...fields,
  };
}

describe('openai-stored', () => {
  it('puts the stored request together again: messages, tools and parameters beside the answer', async () => {
    const [record] = recordsOf(await readAll(openaiStored, source(JSON.stringify(stored()))));

    expect(record).toMatchObject({
      id: 'chatcmpl-AyPNinnUqUDYo9SAdA52NobMflmj2',
      timestamp: '2025-02-07T20:36:50.000Z',
      model: 'gpt-4o-2024-08-06',
      conversationId: 'conv-1',
      responseSource: 'production',
    });
    expect(record?.request).toEqual({
      model: 'gpt-4o-2024-08-06',
      messages: [{ role: 'user', content: 'When is payday?' }],
      tools,
      temperature: 1,
      top_p: 1,
      seed: 49441168,
      presence_penalty: 0,
      frequency_penalty: 0,
    });
    expect(record?.response).not.toHaveProperty('messages');
    const made = record && toExample({ ...record, ingestedAt: record.timestamp });
    expect(made).toMatchObject({ ok: true, example: { label: 'payday' } });
  });

  it.each([
    [
      'a page',
      JSON.stringify({ object: 'list', data: [stored({ id: 'a' }), stored({ id: 'b' })], has_more: false }),
    ],
    ['a list over many lines', JSON.stringify([stored({ id: 'a' }), stored({ id: 'b' })], null, 2)],
    [
      'a list of one per line',
      `[\n${JSON.stringify(stored({ id: 'a' }))}\n,\n${JSON.stringify(stored({ id: 'b' }))}]`,
    ],
    [
      'JSON Lines',
      `\uFEFF${JSON.stringify(stored({ id: 'a' }))}\n\n${JSON.stringify(stored({ id: 'b' }))}\n`,
    ],
    ['a page per line', ['a', 'b'].map((id) => JSON.stringify({ data: [stored({ id })] })).join('\n')],
  ])('reads %s', async (_, text) => {
    const records = recordsOf(await readAll(openaiStored, source(text)));

    expect(records.map((record) => record.id)).toEqual(['a', 'b']);
  });

  it('keeps parts as content, and takes workload and client from the metadata', async () => {
    const parts = [
      { type: 'text', text: 'What is this?' },
      { type: 'image_url', image_url: { url: 'https://x/y' } },
    ];
    const messages = [{ id: 'm', role: 'user', content: null, content_parts: parts }];
    const text = JSON.stringify(stored({ messages, metadata: { workload_id: 'vision', client_id: 'app' } }));

    const [record] = recordsOf(await readAll(openaiStored, source(text)));

    expect(record).toMatchObject({ workloadId: 'vision', clientId: 'app' });
    expect(record?.request.messages).toEqual([{ role: 'user', content: parts }]);
  });

  it('sets aside what is no call, and says how to get messages that are missing', async () => {
    const lines = [
      { object: 'response', id: 'r' },
      stored({ messages: null }),
      stored({ created: 'soon' }),
      stored({ choices: [] }),
    ];

    const rows = await readAll(openaiStored, source(lines.map((line) => JSON.stringify(line)).join('\n')));

    expect(reasonsOf(rows)).toEqual({
      not_a_model_call: 1,
      no_messages: 1,
      invalid_timestamp: 1,
      invalid_response: 1,
    });
    expect(rows[1]).toMatchObject({ line: 2, detail: expect.stringContaining('/messages') });
  });
});
