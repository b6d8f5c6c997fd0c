import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { InvalidInputError } from '../../../domain/errors.ts';
import { banking77 } from '../../../domain/imports/banking77.ts';
import { readAll, reasonsOf, recordsOf, source } from './support.ts';

const train = 'text,category\n"Where, is ""it""?\nreally",card_arrival\nBack?,reverted_card_payment?\n';
const test = 'text,category\nLost it,lost_card\n';

describe('banking77', () => {
  it('answers with the gold label, and offers the labels of both splits by names that a function may have', async () => {
    const from = source(train, { 'test.csv': test }, 'train.csv');

    const [first, second] = recordsOf(await readAll(banking77, from));

    expect(first?.request).toMatchObject({
      messages: [{ role: 'system' }, { role: 'user', content: 'Where, is "it"?\nreally' }],
      tools: ['card_arrival', 'lost_card', 'reverted_card_payment'].map((name) => ({ function: { name } })),
    });
    expect(first?.responseSource).toBe('gold');
    expect(second?.response).toMatchObject({
      choices: [
        { message: { tool_calls: [{ function: { name: 'reverted_card_payment', arguments: '{}' } }] } },
      ],
    });
  });

  it('sets a question without a label aside', async () => {
    const rows = await readAll(banking77, source('text,category\na,b\nc\nd,\n'));

    expect(recordsOf(rows)).toHaveLength(1);
    expect(rows.slice(1)).toMatchObject([
      { line: 2, reason: 'no_answer' },
      { line: 3, reason: 'no_answer' },
    ]);
  });

  it.each([
    ['another table', 'question,intent\na,b\n', /no column text, category/],
    ['an empty file', '', /it is empty/],
    ['a quote that never ends', 'text,category\n"a,b\n', /CSV/],
  ])('refuses %s and says what is needed', async (_, text, message) => {
    const reading = readAll(banking77, source(text));

    await expect(reading).rejects.toThrow(InvalidInputError);
    await expect(reading).rejects.toThrow(message);
  });
});

const folder = new URL('../../../../shared/data/banking77/', import.meta.url);
const absent = !existsSync(folder) && process.env.CI !== 'true';
const title = `banking77 on the real files${absent ? ' (skipped: ../shared/data/banking77 is absent)' : ''}`;

describe.skipIf(absent)(title, { timeout: 120_000 }, () => {
  // Only the smaller split: hashing ten thousand requests of 77 tools takes a while.
  it('reads every question of test.csv with the 77 tools', async () => {
    const read = (file: string): string => readFileSync(new URL(file, folder), 'utf8');

    const rows = await readAll(
      banking77,
      source(read('test.csv'), { 'train.csv': read('train.csv') }, 'test.csv'),
    );

    const records = recordsOf(rows);
    expect(reasonsOf(rows)).toEqual({});
    expect(records).toHaveLength(3080);
    expect(new Set(records.map((record) => record.id)).size).toBe(3080);
    expect(records.every((record) => (record.request.tools as unknown[]).length === 77)).toBe(true);
  });
});
