import { expect, it } from 'vitest';
import { isRejected } from '../../../domain/imports/importer.ts';
import { jsonl } from '../../../domain/imports/jsonl.ts';
import { wireRecord } from '../support.ts';
import { readAll, recordsOf, source } from './support.ts';

const row = {
  messages: [
    { role: 'user', content: 'hi' },
    { role: 'assistant', content: 'hello' },
  ],
};

it('reads records, and fine-tuning rows whose last message is the answer', async () => {
  const tools = [{ type: 'function', function: { name: 'w2' } }];
  const text = [JSON.stringify(wireRecord()), JSON.stringify({ ...row, tools, source: 'book' })].join('\n');

  const rows = await readAll(jsonl, source(text));

  expect(rows).toHaveLength(2);
  expect(rows[1]).toMatchObject({
    line: 2,
    record: {
      workloadId: 'hr',
      clientId: 'c1',
      request: { messages: [{ role: 'user', content: 'hi' }], tools },
      response: { choices: [{ message: { role: 'assistant', content: 'hello' }, finish_reason: 'stop' }] },
      extra: { source: 'book' },
    },
  });
});

it('sets bad lines aside with their line number and reason, and goes on', async () => {
  const lines = [
    '\uFEFF' + JSON.stringify(wireRecord()),
    '{"cut":',
    '',
    '"text"',
    JSON.stringify({ messages: [{ role: 'user', content: 'hi' }] }),
    JSON.stringify(wireRecord({ timestamp: 'soon' })),
    JSON.stringify(wireRecord({ id: 'last' })) + '\r',
  ];

  const rows = await readAll(jsonl, source(lines.join('\n')));

  expect(rows.map((each) => [each.line, isRejected(each) ? each.reason : 'stored'])).toEqual([
    [1, 'stored'],
    [2, 'invalid_json'],
    [4, 'not_an_object'],
    [5, 'no_answer'],
    [6, 'invalid_timestamp'],
    [7, 'stored'],
  ]);
});

it('makes the same ids for the same file twice, and different ones for equal rows', async () => {
  const text = [JSON.stringify(row), JSON.stringify(row)].join('\n');
  const ids = async (): Promise<string[]> =>
    recordsOf(await readAll(jsonl, source(text))).map((record) => record.id);

  const [first, second] = [await ids(), await ids()];

  expect(first).toEqual(second);
  expect(new Set(first).size).toBe(2);
});
