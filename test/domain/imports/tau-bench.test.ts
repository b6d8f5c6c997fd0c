import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { curate } from '../../../domain/datasets/curate.ts';
import { splitNames } from '../../../domain/datasets/dataset.ts';
import { InvalidInputError } from '../../../domain/errors.ts';
import { isFeedback } from '../../../domain/imports/importer.ts';
import { tauBench } from '../../../domain/imports/tau-bench.ts';
import type { JsonObject } from '../../../domain/json.ts';
import { readAll, reasonsOf, recordsOf, source } from './support.ts';

const system = { role: 'system', content: 'You book flights.' };
const user = (content: string): JsonObject => ({ role: 'user', content });
const said = (content: string): JsonObject => ({ role: 'assistant', content });
const called = (name: string, args: JsonObject | string): JsonObject => ({
  role: 'assistant',
  content: null,
  tool_calls: [
    {
      id: 'call_1',
      type: 'function',
      function: { name, arguments: typeof args === 'string' ? args : JSON.stringify(args) },
    },
  ],
});
const result = { role: 'tool', tool_call_id: 'call_1', name: 'search', content: '[]' };

function episode(traj: JsonObject[], fields: JsonObject = {}): JsonObject {
  return { task_id: 0, trial: 0, reward: 1, info: { task: {} }, traj, ...fields };
}

const search = called('search', { from: 'JFK', seats: 1, price: 12.5 });
const one = episode([system, user('hi'), said('Where to?'), user('Rome'), search, result, said('None.')]);

describe('tau-bench', () => {
  it('makes a record of every turn of the agent: what stands before it was asked', async () => {
    const records = recordsOf(await readAll(tauBench, source(JSON.stringify([one]))));

    expect(records.map(({ request }) => (request.messages as unknown[]).length)).toEqual([2, 4, 6]);
    expect(records[1]?.response).toMatchObject({
      choices: [{ message: search, finish_reason: 'tool_calls' }],
    });
    expect(records[2]?.response).toMatchObject({
      choices: [{ message: said('None.'), finish_reason: 'stop' }],
    });
    expect(records.map((record) => record.responseSource)).toEqual([
      'production',
      'production',
      'production',
    ]);
  });

  it('infers the tools from the calls of the whole file, the same for every record, and says so', async () => {
    const other = episode([
      user('x'),
      called('search', { from: 'LHR', seats: 2, price: 10 }),
      result,
      called('book', {}),
      result,
      called('search', '{cut'),
    ]);

    const records = recordsOf(await readAll(tauBench, source(JSON.stringify([one, other]))));

    const properties = { from: { type: 'string' }, price: { type: 'number' }, seats: { type: 'integer' } };
    expect(new Set(records.map((record) => JSON.stringify(record.request.tools))).size).toBe(1);
    expect(records[0]?.request.tools).toEqual([
      { type: 'function', function: { name: 'book', parameters: { type: 'object', properties: {} } } },
      { type: 'function', function: { name: 'search', parameters: { type: 'object', properties } } },
    ]);
    expect(records.every((record) => record.extra.tools_source === 'inferred')).toBe(true);
  });

  it('gives the reward as the outcome of each conversation, under an id that stays', async () => {
    const failed = episode([user('y'), said('no')], { trial: 1, reward: 0 });
    const unknown = episode([user('z'), said('no')], { trial: 2, reward: null });
    const from = source(JSON.stringify([one, failed, unknown]));

    const rows = await readAll(tauBench, from);
    const again = await readAll(tauBench, from);

    const outcomes = rows.filter(isFeedback).map(({ feedback }) => feedback);
    const conversations = [...new Set(recordsOf(rows).map((record) => record.conversationId))];
    expect(outcomes).toMatchObject([
      {
        kind: 'outcome',
        name: 'reward',
        value: 1,
        conversationId: conversations[0],
        workloadId: 'hr',
        clientId: 'c1',
      },
      { kind: 'outcome', value: 0, conversationId: conversations[1] },
    ]);
    expect(conversations).toHaveLength(3);
    expect(again).toEqual(rows);
  });

  it('sets aside an episode or a turn that it cannot use, and goes on', async () => {
    const robot = episode([{ role: 'robot', content: 'x' }, said('a')], { task_id: 7 });
    const file = [one, 'rubbish', { task_id: 1 }, episode([user('only')]), robot, episode([said('first')])];

    const rows = await readAll(tauBench, source(JSON.stringify(file)));

    expect(recordsOf(rows)).toHaveLength(3);
    expect(rows.flatMap((row) => ('reason' in row ? [[row.line, row.reason]] : []))).toEqual([
      [2, 'not_an_episode'],
      [3, 'not_an_episode'],
      [4, 'no_answer'],
      [5, 'invalid_request'],
      [5, 'no_answer'],
      [6, 'invalid_request'],
      [6, 'no_answer'],
    ]);
  });

  it.each([
    ['a file that is not JSON', 'traj'],
    ['a file of another shape', '{"traj":[]}'],
  ])('refuses %s', async (_, text) => {
    await expect(readAll(tauBench, source(text))).rejects.toThrow(InvalidInputError);
  });
});

const file = new URL('../../../../shared/data/tau-bench/gpt-4o-airline.even-tasks.json', import.meta.url);
const absent = !existsSync(file) && process.env.CI !== 'true';
const title = `tau-bench on the real file${absent ? ' (skipped: ../shared/data/tau-bench is absent)' : ''}`;

describe.skipIf(absent)(title, { timeout: 120_000 }, () => {
  it('reads 1,163 turns of 100 episodes, 49 of them successes', async () => {
    const rows = await readAll(tauBench, source(readFileSync(file, 'utf8')));

    const records = recordsOf(rows);
    const outcomes = rows.filter(isFeedback).map(({ feedback }) => feedback.value);
    const [first] = records;
    expect(reasonsOf(rows)).toEqual({});
    expect(records).toHaveLength(1163);
    expect(new Set(records.map((record) => record.id)).size).toBe(1163);
    expect(first?.request.tools).toHaveLength(13);
    expect([outcomes.length, outcomes.filter((value) => value === 1).length]).toEqual([100, 49]);
  });

  it('keeps all trials of a task in one split', async () => {
    const records = recordsOf(await readAll(tauBench, source(readFileSync(file, 'utf8'))));
    const stored = records.map((record) => ({ ...record, ingestedAt: record.timestamp }));

    const { splits } = await curate(stored, { seed: 7, validationShare: 0.1, minRecords: 50 });

    const taskOf = new Map(records.map((record) => [record.id, record.extra.split_group]));
    const tasks = splitNames.map((name) => new Set(splits[name].map(({ recordId }) => taskOf.get(recordId))));
    const [train, validation, evaluation] = tasks;
    expect([...(train ?? [])].filter((task) => validation?.has(task) || evaluation?.has(task))).toEqual([]);
    expect([...(validation ?? [])].filter((task) => evaluation?.has(task))).toEqual([]);
    expect(splitNames.map((name) => splits[name].length > 0)).toEqual([true, true, true]);
  });
});
