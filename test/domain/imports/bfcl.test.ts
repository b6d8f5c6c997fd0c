import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { toExample } from '../../../domain/datasets/to-example.ts';
import { InvalidInputError } from '../../../domain/errors.ts';
import { bfcl } from '../../../domain/imports/bfcl.ts';
import { noToolAnswer } from '../../../domain/imports/gold.ts';
import type { JsonObject } from '../../../domain/json.ts';
import { readAll, reasonsOf, recordsOf, source } from './support.ts';

function question(id: string, fields: JsonObject = {}): string {
  return JSON.stringify({
    id,
    question: [[{ role: 'user', content: `question ${id}` }]],
    function: [
      {
        name: 'uber.ride',
        description: 'A ride',
        parameters: {
          type: 'dict',
          required: ['loc'],
          properties: {
            loc: { type: 'string' },
            type: { type: 'string', default: 'plus' },
            price: { type: 'float' },
            stops: { type: 'array', items: { type: 'dict', properties: { at: { type: 'any' } } } },
          },
        },
      },
    ],
    ...fields,
  });
}

function answer(id: string, accepted: JsonObject): string {
  return JSON.stringify({ id, ground_truth: [{ 'uber.ride': accepted }] });
}

const simple = 'BFCL_v4_simple.json';

describe('bfcl', () => {
  it('takes the first accepted value of each argument and keeps the others beside the record', async () => {
    const accepted = {
      loc: ['Berkeley', 'Berkeley, CA'],
      type: ['', 'plus'],
      stops: [[{ at: ['A', 'B'], note: [''] }]],
      price: [],
    };
    const answers = { [`possible_answer.${simple}`]: answer('simple_1', accepted) };

    const [record] = recordsOf(await readAll(bfcl, source(question('simple_1'), answers, simple)));

    const call = { name: 'uber_ride', arguments: '{"loc":"Berkeley","stops":[{"at":"A"}],"price":[]}' };
    expect(record?.response).toMatchObject({ choices: [{ message: { tool_calls: [{ function: call }] } }] });
    expect(record?.extra.dataset).toMatchObject({
      id: 'simple_1',
      file: 'simple',
      accepted: [{ 'uber.ride': accepted }],
    });
  });

  it('writes the functions as OpenAI’s tools: JSON Schema types, also of a property that is called type', async () => {
    const answers = { [`possible_answer/${simple}`]: answer('simple_1', { loc: ['x'] }) };

    const [record] = recordsOf(await readAll(bfcl, source(question('simple_1'), answers, simple)));

    expect(record?.request.tools).toEqual([
      {
        type: 'function',
        function: {
          name: 'uber_ride',
          description: 'A ride',
          parameters: {
            type: 'object',
            required: ['loc'],
            properties: {
              loc: { type: 'string' },
              type: { type: 'string', default: 'plus' },
              price: { type: 'number' },
              stops: { type: 'array', items: { type: 'object', properties: { at: {} } } },
            },
          },
        },
      },
    ]);
  });

  it('answers a question that no function fits with the sentence that stands for that', async () => {
    const text = question('live_irrelevance_0-0-0');

    const [record] = recordsOf(await readAll(bfcl, source(text, {}, 'BFCL_v4_live_irrelevance.json')));

    expect(record?.response).toMatchObject({ choices: [{ message: { content: noToolAnswer } }] });
  });

  it('sets aside what it cannot use, with the line and the reason', async () => {
    const turn = [{ role: 'user', content: 'hi' }];
    const twice = [{ name: 'a.b' }, { name: 'a_b' }];
    const lines = [
      question('unanswered'),
      question('long', { question: [turn, turn] }),
      '{"id":1}',
      '{"cut',
      question('twice', { function: twice }),
      question('bare', { function: [] }),
      question('badrole', { question: [[{ role: 'robot', content: 'x' }]] }),
    ];
    const answers = ['twice', 'badrole', 'long', 'bare'].map((id) => answer(id, { loc: ['x'] }));
    const siblings = { [`possible_answer.${simple}`]: ['{broken', '{}', ...answers].join('\n') };

    const rows = await readAll(bfcl, source(lines.join('\n'), siblings, simple));

    expect(rows.map((row) => [row.line, 'reason' in row && row.reason])).toEqual([
      [1, 'no_answer'],
      [2, 'several_turns'],
      [3, 'not_a_question'],
      [4, 'invalid_json'],
      [5, 'ambiguous_tools'],
      [6, 'no_tools'],
      [7, 'invalid_request'],
    ]);
  });

  it('says where the answers must lie', async () => {
    const reading = readAll(bfcl, source(question('x'), {}, simple));

    await expect(reading).rejects.toThrow(InvalidInputError);
    await expect(reading).rejects.toThrow(/possible_answer\.BFCL_v4_simple\.json/);
  });
});

const folder = new URL('../../../../shared/data/bfcl/', import.meta.url);
const absent = !existsSync(folder) && process.env.CI !== 'true';
const title = `bfcl on the real files${absent ? ' (skipped: ../shared/data/bfcl is absent)' : ''}`;

describe.skipIf(absent)(title, { timeout: 120_000 }, () => {
  it.each([
    ['BFCL_v4_live_simple.json', 258, 'tool_calls', {}],
    ['BFCL_v4_live_irrelevance.json', 880, 'text', { no_tools: 4 }],
  ])('reads the questions of %s as ones that can be trained on', async (name, questions, kind, aside) => {
    const read = (file: string): string => readFileSync(new URL(file, folder), 'utf8');
    const answers = 'possible_answer.BFCL_v4_live_simple.json';

    const rows = await readAll(bfcl, source(read(name), { [answers]: read(answers) }, name));

    const examples = recordsOf(rows).map((each) => toExample({ ...each, ingestedAt: each.timestamp }));
    const unusable = examples.flatMap((made) => (made.ok ? [] : [made.reason]));
    expect(reasonsOf(rows)).toEqual(aside);
    expect(unusable).toEqual([]);
    expect(examples).toHaveLength(questions);
    expect(examples.every((made) => made.ok && made.example.target.kind === kind)).toBe(true);
  });
});
