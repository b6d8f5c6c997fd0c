import { describe, expect, it } from 'vitest';
import { toExample } from '../../../domain/datasets/to-example.ts';
import { trainingRow } from '../../../domain/datasets/training-row.ts';
import { calls, request, says, stored } from '../support.ts';

describe('toExample', () => {
  it.each([
    ['the first tool called', { response: calls(['w2', {}], ['payday', {}]) }, 'w2'],
    ['no_tool for text while tools are offered', { response: says('No.') }, 'no_tool'],
    ['plain where none are', { request: request('hi', { tools: [] }), response: says('Hello.') }, 'plain'],
    [
      'plain where tool_choice is none',
      { request: request('hi', { tool_choice: 'none' }), response: says('Hello.') },
      'plain',
    ],
  ])('labels a record by %s', (_, record, label) => {
    expect(toExample(stored(record))).toMatchObject({ ok: true, example: { label } });
  });

  it.each([
    ['a model that Flywheel promoted', { response_source: 'flywheel' }, 'flywheel_answer'],
    ['a tool that was not offered', { response: calls(['fire_missiles', {}]) }, 'unknown_tool'],
    ['arguments that are no JSON', { response: calls(['w2', '{"year"']) }, 'unparsable_arguments'],
    ['no answer', { response: { choices: [{ message: null }] } }, 'malformed_answer'],
    ['malformed tools', { request: request('hi', { tools: [{}] }) }, 'malformed_tools'],
    [
      'an image',
      { request: { messages: [{ role: 'user', content: [{ type: 'image_url' }] }] } },
      'unsupported_content',
    ],
    [
      'an assistant who spoke last',
      {
        request: {
          messages: [
            { role: 'user', content: 'a' },
            { role: 'assistant', content: 'b' },
          ],
        },
      },
      'role_order',
    ],
    [
      'a tool result without a call',
      {
        request: {
          messages: [
            { role: 'user', content: 'a' },
            { role: 'tool', content: 'b' },
          ],
        },
      },
      'role_order',
    ],
    ['nobody asking', { request: { messages: [{ role: 'system', content: 'a' }] } }, 'role_order'],
  ])('drops %s', (_, record, reason) => {
    expect(toExample(stored(record as Parameters<typeof stored>[0]))).toMatchObject({ ok: false, reason });
  });

  it('keeps a forced tool choice, since it is part of what was asked', () => {
    const made = toExample(stored({ request: request('hi', { tool_choice: 'required' }) }));

    expect(made).toMatchObject({ ok: true, example: { toolChoice: 'required' } });
  });

  it('never changes the record', () => {
    const record = stored({ response: calls(['w2', '{"year":"2025"}']) });
    const before = structuredClone(record);

    const made = toExample(record);
    if (made.ok) trainingRow(made.example);

    expect(record).toEqual(before);
  });
});

describe('trainingRow', () => {
  it('is OpenAI’s fine-tuning row: history, answer, tools, arguments as text', () => {
    const made = toExample(stored({ response: calls(['w2', { year: '2025' }]) }));

    const row = made.ok ? trainingRow(made.example) : {};

    expect(row).toMatchObject({
      messages: [
        { role: 'system', content: 'HR.' },
        { role: 'user' },
        {
          role: 'assistant',
          content: null,
          tool_calls: [{ type: 'function', function: { name: 'w2', arguments: '{"year":"2025"}' } }],
        },
      ],
      tools: [{ type: 'function', function: { name: 'pto_balance' } }, {}, {}],
    });
  });

  it('has no tools where none were offered', () => {
    const made = toExample(stored({ request: request('hi', { tools: null }), response: says('Hello.') }));

    expect(made.ok && trainingRow(made.example)).not.toHaveProperty('tools');
  });
});
