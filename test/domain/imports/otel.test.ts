import { describe, expect, it } from 'vitest';
import { toExample } from '../../../domain/datasets/to-example.ts';
import { otel } from '../../../domain/imports/otel.ts';
import type { Json, JsonObject } from '../../../domain/json.ts';
import { readAll, reasonsOf, recordsOf, source } from './support.ts';

/** A value as OTLP's JSON encodes it. */
function anyValue(value: Json): JsonObject {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value === 'number')
    return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
  if (Array.isArray(value)) return { arrayValue: { values: value.map(anyValue) } };
  return value === null ? {} : { kvlistValue: { values: pairs(value) } };
}

function pairs(attributes: JsonObject): JsonObject[] {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: anyValue(value) }));
}

const traceId = '5b8efff798038103d269b633813fc60c';

function span(attributes: JsonObject, fields: JsonObject = {}): JsonObject {
  return {
    traceId,
    spanId: 'eee19b7ec3c1b174',
    name: 'chat gpt-4o',
    kind: 3,
    startTimeUnixNano: '1760000000123456789',
    endTimeUnixNano: '1760000001123456789',
    attributes: pairs({
      'gen_ai.operation.name': 'chat',
      'gen_ai.request.model': 'gpt-4o',
      'gen_ai.response.model': 'gpt-4o-2024-08-06',
      'gen_ai.request.temperature': 0.5,
      'gen_ai.usage.input_tokens': 20,
      'gen_ai.usage.output_tokens': 5,
      ...attributes,
    }),
    status: {},
    ...fields,
  };
}

const traces = (...spans: JsonObject[]): JsonObject => ({
  resourceSpans: [{ resource: {}, scopeSpans: [{ scope: {}, spans }] }],
});
const logs = (...logRecords: JsonObject[]): JsonObject => ({
  resourceLogs: [{ resource: {}, scopeLogs: [{ scope: {}, logRecords }] }],
});
const lines = (...values: JsonObject[]): string => values.map((value) => JSON.stringify(value)).join('\n');

const tools = [
  { type: 'function', name: 'weather', description: 'Now', parameters: { type: 'object', properties: {} } },
];
const input = [
  { role: 'user', parts: [{ type: 'text', content: 'Weather in Paris?' }] },
  {
    role: 'assistant',
    parts: [
      { type: 'reasoning', content: 'hm' },
      { type: 'tool_call', id: 'call_1', name: 'weather', arguments: { city: 'Paris' } },
    ],
  },
  { role: 'tool', parts: [{ type: 'tool_call_response', id: 'call_1', response: { sky: 'rain' } }] },
];
const output = [
  { role: 'assistant', parts: [{ type: 'text', content: 'It rains.' }], finish_reason: 'stop' },
  { role: 'assistant', parts: [{ type: 'text', content: 'The second choice.' }], finish_reason: 'stop' },
];
const system = [{ type: 'text', content: 'Be brief.' }];

const call = { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"city":"Paris"}' } };
const asked = [
  { role: 'system', content: 'Be brief.' },
  { role: 'user', content: 'Weather in Paris?' },
  { role: 'assistant', content: null, tool_calls: [call] },
  { role: 'tool', content: '{"sky":"rain"}', tool_call_id: 'call_1' },
];

const current = {
  'gen_ai.input.messages': input,
  'gen_ai.output.messages': output,
  'gen_ai.system_instructions': system,
  'gen_ai.tool.definitions': tools,
};
const asText = Object.fromEntries(
  Object.entries(current).map(([key, value]) => [key, JSON.stringify(value)]),
);

describe('otel', () => {
  it.each([
    ['structured', current],
    ['as JSON text', asText],
  ])('reads the attributes of the current conventions, %s', async (_, attributes) => {
    const [record] = recordsOf(await readAll(otel, source(lines(traces(span(attributes))))));

    expect(record).toMatchObject({
      id: `${traceId}-eee19b7ec3c1b174`,
      timestamp: '2025-10-09T08:53:20.123Z',
      latencyMs: 1000,
      conversationId: traceId,
      model: 'gpt-4o-2024-08-06',
      responseSource: 'production',
      request: {
        messages: asked,
        temperature: 0.5,
        tools: [{ function: { name: 'weather', description: 'Now' } }],
      },
      response: {
        choices: [{ message: { role: 'assistant', content: 'It rains.' }, finish_reason: 'stop' }],
        usage: { prompt_tokens: 20, completion_tokens: 5 },
      },
    });
    const made = record && toExample({ ...record, ingestedAt: record.timestamp });
    expect(made).toMatchObject({ ok: true, example: { label: 'no_tool' } });
  });

  const older = {
    'gen_ai.system.message': { content: 'Be brief.' },
    'gen_ai.user.message': { content: 'Weather in Paris?' },
    'gen_ai.assistant.message': { tool_calls: [call] },
    'gen_ai.tool.message': { id: 'call_1', content: '{"sky":"rain"}' },
    'gen_ai.choice': {
      index: 0,
      finish_reason: 'stop',
      message: { role: 'assistant', content: 'It rains.' },
    },
  };
  const place = { traceId, spanId: 'eee19b7ec3c1b174', timeUnixNano: '1760000000123456789' };

  it.each([
    [
      'log records with a body, before their span',
      [
        logs(
          ...Object.entries(older).map(([name, body]) => ({
            ...place,
            eventName: name,
            body: anyValue(body),
          })),
        ),
        traces(span({})),
      ],
    ],
    [
      'log records named by an attribute, after their span',
      [
        traces(span({})),
        logs(
          ...Object.entries(older).map(([name, body]) => ({
            ...place,
            attributes: pairs({ 'event.name': name }),
            body: anyValue(body),
          })),
        ),
      ],
    ],
    [
      'events on the span, with what is structured as JSON text',
      [
        traces(
          span(
            {},
            {
              events: Object.entries(older).map(([name, body]) => ({
                name,
                attributes: pairs(
                  Object.fromEntries(
                    Object.entries(body).map(([key, value]): [string, Json] => [
                      key,
                      typeof value === 'object' ? JSON.stringify(value) : value,
                    ]),
                  ),
                ),
              })),
            },
          ),
        ),
      ],
    ],
    [
      'events on the span, each as JSON in one attribute',
      [
        traces(
          span(
            {},
            {
              events: Object.entries(older).map(([name, body]) => ({
                name,
                attributes: pairs({ 'gen_ai.event.content': JSON.stringify(body) }),
              })),
            },
          ),
        ),
      ],
    ],
  ])('reads the older conventions’ events: %s', async (_, values) => {
    const rows = await readAll(otel, source(lines(...values)));

    const [record] = recordsOf(rows);
    expect(rows).toHaveLength(1);
    expect(record?.request.messages).toEqual(asked);
    expect(record?.response).toMatchObject({ choices: [{ message: { content: 'It rains.' } }] });
  });

  it('reads the details event alone, without a span', async () => {
    const details = {
      ...place,
      eventName: 'gen_ai.client.inference.operation.details',
      attributes: pairs({ 'gen_ai.request.model': 'gpt-4o', 'gen_ai.conversation.id': 'conv-1', ...current }),
    };

    const [record] = recordsOf(await readAll(otel, source(lines(logs(details)))));

    expect(record).toMatchObject({ conversationId: 'conv-1', model: 'gpt-4o', request: { messages: asked } });
  });

  it('reads OpenLLMetry’s numbered attributes', async () => {
    const attributes = {
      'gen_ai.operation.name': null,
      'llm.request.type': 'chat',
      'gen_ai.prompt.0.role': 'user',
      'gen_ai.prompt.0.content': 'Weather in Paris?',
      'gen_ai.completion.0.role': 'assistant',
      'gen_ai.completion.0.finish_reason': 'tool_calls',
      'gen_ai.completion.0.tool_calls.0.id': 'call_1',
      'gen_ai.completion.0.tool_calls.0.name': 'weather',
      'gen_ai.completion.0.tool_calls.0.arguments': '{"city":"Paris"}',
    };

    const [record] = recordsOf(await readAll(otel, source(lines(traces(span(attributes))))));

    expect(record?.request.messages).toEqual([{ role: 'user', content: 'Weather in Paris?' }]);
    expect(record?.response).toMatchObject({
      choices: [{ message: { tool_calls: [call] }, finish_reason: 'tool_calls' }],
    });
  });

  it('sets aside what is no call, failed, or was logged without its content', async () => {
    const text = lines(
      traces(
        span({ ...current, 'gen_ai.operation.name': 'invoke_agent' }),
        span({ 'gen_ai.operation.name': 'execute_tool' }),
        { name: 'GET /', spanId: 'a', traceId: 'b', attributes: [] },
        span({}, { spanId: 'bare' }),
        span({}, { spanId: 'failed', status: { code: 2, message: 'rate limited' } }),
        span({ ...current, 'gen_ai.output.messages': [] }, { spanId: 'unanswered' }),
        span(current, { startTimeUnixNano: 'soon' }),
      ),
      logs({ body: { stringValue: 'hello' } }),
      { resourceMetrics: [] },
    );

    const rows = await readAll(otel, source(`${text}\n{"cut`));

    expect(recordsOf(rows)).toEqual([]);
    expect(reasonsOf(rows)).toEqual({
      not_a_model_call: 4,
      no_messages: 1,
      failed_call: 1,
      no_answer: 1,
      missing_timestamp: 1,
      not_otlp: 1,
      invalid_json: 1,
    });
    expect(rows.find((row) => 'reason' in row && row.reason === 'no_messages')).toMatchObject({
      detail: expect.stringContaining('CAPTURE_MESSAGE_CONTENT'),
    });
  });
});
