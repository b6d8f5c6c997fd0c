import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { curate } from '../../../domain/datasets/curate.ts';
import { splitNames } from '../../../domain/datasets/dataset.ts';
import { InvalidInputError } from '../../../domain/errors.ts';
import { clinc150 } from '../../../domain/imports/clinc150.ts';
import { noToolAnswer } from '../../../domain/imports/gold.ts';
import { readAll, recordsOf, source } from './support.ts';

const empty = { train: [], val: [], test: [], oos_train: [], oos_val: [], oos_test: [] };
const domains = JSON.stringify({ work: ['payday', 'meeting'], home: ['lights'] });

describe('clinc150', () => {
  it('offers the domain’s intents as tools in a fixed order and answers with the intent', async () => {
    const file = {
      ...empty,
      train: [
        ['lamp on', 'lights'],
        ['when is payday', 'payday'],
      ],
      oos_test: [['hm', 'oos']],
    };

    const rows = await readAll(clinc150, source(JSON.stringify(file), { 'domains.json': domains }), {
      domain: 'work',
    });

    expect(rows).toHaveLength(2);
    expect(rows[0]).toMatchObject({
      line: 2,
      record: {
        responseSource: 'gold',
        timestamp: '2024-01-01T00:00:02.000Z',
        request: { tools: [{ function: { name: 'meeting' } }, { function: { name: 'payday' } }] },
        response: {
          choices: [{ message: { tool_calls: [{ function: { name: 'payday', arguments: '{}' } }] } }],
        },
      },
    });
    expect(rows[1]).toMatchObject({
      record: { response: { choices: [{ message: { content: noToolAnswer } }] } },
    });
  });

  it.each([
    ['an unknown domain', JSON.stringify(empty), { 'domains.json': domains }, 'play', /work, home/],
    ['no domain', JSON.stringify(empty), { 'domains.json': domains }, undefined, /--domain/],
    ['no domains.json', JSON.stringify(empty), {}, 'work', /domains\.json/],
    ['a file that is not JSON', 'train', { 'domains.json': domains }, 'work', /not JSON/],
    ['a file of another shape', '{"train":[["a"]]}', { 'domains.json': domains }, 'work', /data_full\.json/],
  ])('says what to do about %s', async (_, text, siblings, domain, message) => {
    const reading = readAll(clinc150, source(text, siblings), domain === undefined ? {} : { domain });

    await expect(reading).rejects.toThrow(InvalidInputError);
    await expect(reading).rejects.toThrow(message);
  });
});

const folder = new URL('../../../../shared/data/clinc150/', import.meta.url);
const absent = !existsSync(folder) && process.env.CI !== 'true';
const title = `clinc150 on the real file${absent ? ' (skipped: ../shared/data/clinc150 is absent)' : ''}`;

// Thousands of real rows: seconds on an idle machine, more on a busy one.
describe.skipIf(absent)(title, { timeout: 120_000 }, () => {
  function open() {
    const read = (name: string): string => readFileSync(new URL(name, folder), 'utf8');
    return source(read('data_full.json'), { 'domains.json': read('domains.json') });
  }

  it('reads the 2,250 questions of the work domain and all 1,200 out of scope, with stable ids', async () => {
    const rows = await readAll(clinc150, open(), { domain: 'work' });
    const again = await readAll(clinc150, open(), { domain: 'work' });

    const records = recordsOf(rows);
    const inScope = records.filter((record) => JSON.stringify(record.response).includes('tool_calls'));
    expect([inScope.length, records.length - inScope.length, rows.length]).toEqual([2250, 1200, 3450]);
    expect(new Set(records.map((record) => record.id)).size).toBe(3450);
    expect(again).toEqual(rows);
    expect(new Set(records.map((record) => JSON.stringify(record.request.tools))).size).toBe(1);
  });

  it('curates into stratified splits without losing a question', async () => {
    const rows = await readAll(clinc150, open(), { domain: 'work' });
    const records = recordsOf(rows).map((record) => ({ ...record, ingestedAt: record.timestamp }));

    const { splits, dropped } = await curate(records, { seed: 7, validationShare: 0.1, minRecords: 50 });

    const noTool = splitNames.map((name) => splits[name].filter((each) => each.label === 'no_tool').length);
    expect(dropped).toEqual({});
    expect(splitNames.map((name) => splits[name].length)).toEqual([2925, 325, 200]);
    expect(noTool).toEqual([1018, 113, 69]);
    expect(new Set(splits.eval.map((each) => each.label)).size).toBe(16);
  });
});
