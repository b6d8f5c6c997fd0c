import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../domain/json.ts';
import { createRecordRedactor } from '../../../domain/policies/redact-record.ts';
import { aRecord } from '../../support/records.ts';

const redact = createRecordRedactor({ kinds: ['email', 'card'], patterns: { employee_id: 'EMP-\\d{6}' } });

function call(given: string): JsonObject {
  const made = { id: 'call_1', type: 'function', function: { name: 'find', arguments: given } };
  return { choices: [{ index: 0, message: { role: 'assistant', content: null, tool_calls: [made] } }] };
}

describe('a record on its way in', () => {
  test('loses what the policy names, wherever it was said, and says how often', () => {
    const record = aRecord('r1', {
      request: {
        model: 'big',
        user: 'ana@example.org',
        messages: [
          { role: 'user', content: [{ type: 'text', text: 'I am EMP-123456, ana@example.org' }] },
          { role: 'tool', tool_call_id: 'call_0', content: 'EMP-123456 is on leave' },
        ],
      },
      response: { choices: [{ index: 0, message: { content: 'Hi', reasoning_content: 'EMP-123456?' } }] },
    });

    const redacted = redact?.(record);

    expect(JSON.stringify(redacted)).not.toMatch(/EMP-\d|@example/);
    expect(redacted?.request).toMatchObject({
      messages: [{ content: [{ text: 'I am [employee_id], [email]' }] }, {}],
    });
    expect(redacted?.extra).toEqual({ redacted: { email: 2, employee_id: 3 } });
  });

  test('has arguments that are still JSON, and its own spacing where nothing was found', () => {
    const found = redact?.(aRecord('r1', { response: call('{"card": 4111111111111111, "n":1}') }));
    const untouched = aRecord('r2', { response: call('{ "n" :1}') });

    expect(found?.response).toEqual(call('{"card":"[card]","n":1}'));
    expect(redact?.(untouched)).toBe(untouched);
  });

  test('keeps names, ids, tool definitions and files', () => {
    const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,EMP-123456' } };
    const request = {
      model: 'EMP-123456',
      tools: [{ type: 'function', function: { name: 'f', description: 'Such as EMP-123456.' } }],
      messages: [{ role: 'user', name: 'EMP-123456', content: [image] }],
    };
    const record = aRecord('r1', { request });

    expect(redact?.(record)).toBe(record);
  });

  test('is the same when it is redacted again, and by no policy at all', () => {
    const once = redact?.(
      aRecord('r1', { request: { messages: [{ role: 'user', content: 'EMP-123456' }] } }),
    );

    expect(once && redact?.(once)).toBe(once);
    expect(createRecordRedactor({ kinds: [], patterns: {} })).toBeNull();
  });
});
