import { describe, expect, it } from 'vitest';
import { curate } from '../../../domain/datasets/curate.ts';
import { type Example, splitNames } from '../../../domain/datasets/dataset.ts';
import { NotEnoughRecordsError } from '../../../domain/errors.ts';
import { canonicalJson } from '../../../domain/hash.ts';
import type { JsonObject } from '../../../domain/json.ts';
import { createRandom } from '../../../domain/random.ts';
import type { StoredRecord } from '../../../domain/records/record.ts';
import { calls, request, says, stored } from '../support.ts';

const options = { seed: 7, validationShare: 0.1, minRecords: 10 };
const toolNames = ['pto_balance', 'payday', 'w2'];

function ask(id: string, question: string, overrides: JsonObject = {}): StoredRecord {
  return stored({ id, request: request(question), ...overrides });
}

/** Records whose openings all differ; the answer's tool follows from the number. */
function distinct(count: number, overrides: (index: number) => JsonObject = () => ({})): StoredRecord[] {
  return Array.from({ length: count }, (_, index) =>
    ask(`r${String(index).padStart(4, '0')}`, `question ${index}`, {
      response: calls([toolNames[index % 3] as string, {}]),
      ...overrides(index),
    }),
  );
}

describe('curate', () => {
  it('counts and lists what it drops, each with its reason', async () => {
    const records = [
      ...distinct(12),
      ask('bad', 'x', { response: calls(['nope', {}]) }),
      ask('own', 'y', { response_source: 'flywheel' }),
      ask('twice', 'question 0', { timestamp: '2026-02-01T00:00:00Z', response: calls(['pto_balance', {}]) }),
    ];

    const { dropped, droppedRecords, manifest, splits } = await curate(records, options);

    expect(dropped).toEqual({ duplicate: 1, flywheel_answer: 1, unknown_tool: 1 });
    expect(droppedRecords).toEqual([
      { recordId: 'bad', reason: 'unknown_tool' },
      { recordId: 'own', reason: 'flywheel_answer' },
      { recordId: 'twice', reason: 'duplicate' },
    ]);
    expect(manifest.droppedRecords).toEqual(droppedRecords);
    expect(splitNames.map((name) => splits[name].length)).toEqual([7, 1, 4]);
  });

  it('never takes records for duplicates by their question alone', async () => {
    const question = 'question 0';
    const steps = [
      ask('step1', question),
      ask('other-system', question, {
        request: {
          ...request(question),
          messages: [
            { role: 'system', content: 'Bank.' },
            { role: 'user', content: question },
          ],
        },
      }),
      ask('other-tools', question, { request: request(question, { tools: [] }), response: says('Hm.') }),
      ask('step2', question, {
        request: {
          ...request(question),
          messages: [
            ...(request(question).messages as JsonObject[]),
            {
              role: 'assistant',
              content: null,
              tool_calls: [{ id: 'a', function: { name: 'w2', arguments: '{}' } }],
            },
            { role: 'tool', tool_call_id: 'a', content: '12' },
          ],
        },
        response: says('You have 12.'),
      }),
    ];

    const { dropped } = await curate([...distinct(20).slice(1), ...steps], options);

    expect(dropped).toEqual({});
  });

  it('sees through the chance of call ids, argument spelling and content parts', async () => {
    const history = (id: string, given: string, content: unknown): JsonObject => ({
      ...request('x'),
      messages: [
        { role: 'user', content: content as string },
        {
          role: 'assistant',
          content: null,
          tool_calls: [{ id, function: { name: 'w2', arguments: given } }],
        },
        { role: 'tool', tool_call_id: id, content: '12' },
      ],
    });
    const same = [
      stored({ id: 'a', request: history('call_9', '{"a":1,"b":2}', 'x'), response: says('12.') }),
      stored({
        id: 'b',
        request: history('call_1', '{ "b": 2.0, "a": 1 }', [{ type: 'text', text: 'x' }]),
        response: says('12.'),
      }),
    ];

    expect((await curate([...distinct(12), ...same], options)).dropped).toEqual({ duplicate: 1 });
  });

  it('of conflicting answers keeps the gold one, else the most frequent, else the newest', async () => {
    const at = (day: number): JsonObject => ({ timestamp: `2026-02-0${day}T00:00:00Z` });
    const answered = (id: string, question: string, tool: string, more: JsonObject): StoredRecord =>
      ask(id, question, { response: calls([tool, {}]), ...more });
    const records = [
      answered('gold', 'first', 'w2', { ...at(1), response_source: 'gold' }),
      answered('model-1', 'first', 'payday', at(2)),
      answered('model-2', 'first', 'payday', at(3)),
      answered('often-1', 'second', 'w2', at(1)),
      answered('often-2', 'second', 'w2', at(2)),
      answered('once', 'second', 'payday', at(3)),
      answered('older', 'third', 'w2', at(1)),
      answered('newer', 'third', 'payday', at(2)),
    ];

    const { droppedRecords } = await curate([...distinct(12), ...records], options);

    expect(droppedRecords).toEqual([
      { recordId: 'model-1', reason: 'conflicting_answer' },
      { recordId: 'model-2', reason: 'conflicting_answer' },
      { recordId: 'often-1', reason: 'duplicate' },
      { recordId: 'older', reason: 'conflicting_answer' },
      { recordId: 'once', reason: 'conflicting_answer' },
    ]);
  });

  it('is byte-identical for the same records in any order, and differs by seed', async () => {
    const records = [
      ...distinct(90, (index) => (index % 4 === 0 ? { conversation_id: `k${index % 12}` } : {})),
      ...distinct(15, () => ({ timestamp: '2026-04-01T00:00:00Z' })).map((record) => ({
        ...record,
        id: `copy-${record.id}`,
      })),
    ];
    const first = await curate(records, options);

    for (const seed of [1, 2, 3]) {
      const shuffled = createRandom(seed).shuffle(records);
      const again = await curate(shuffled, options);
      expect(canonicalJson([again.splits, again.manifest, again.hash])).toBe(
        canonicalJson([first.splits, first.manifest, first.hash]),
      );
    }
    const other = await curate(records, { ...options, seed: 8 });
    expect(other.hash).not.toBe(first.hash);
    expect(other.splits.eval.map((each) => each.recordId)).not.toEqual(
      first.splits.eval.map((each) => each.recordId),
    );
  });

  it('has another hash once a record’s content changed, though every id stayed', async () => {
    const records = distinct(30);
    const changed = records.map((record, index) =>
      index === 3 ? { ...record, request: request('question 3 as it was corrected') } : record,
    );

    const [before, after] = [await curate(records, options), await curate(changed, options)];

    expect(after.hash).not.toBe(before.hash);
  });

  it('holds for random workloads: nothing lost, no group in two splits, sizes as planned', async () => {
    for (let seed = 1; seed <= 12; seed += 1) {
      const random = createRandom(seed);
      const conversations = 20 + random.below(40);
      const records = distinct(60 + random.below(100), () =>
        random.chance(0.3) ? { conversation_id: `k${random.below(conversations)}` } : {},
      );

      const { splits, droppedRecords } = await curate(records, { ...options, seed });

      const ids = splitNames.flatMap((name) => splits[name].map((each) => each.recordId));
      expect(ids.length + droppedRecords.length).toBe(records.length);
      expect(new Set(ids).size).toBe(ids.length);
      expect(sharedGroups(splits)).toEqual([]);
      expect(splits.eval).toHaveLength(Math.min(200, Math.floor(ids.length / 3)));
      expect(splits.validation).toHaveLength(Math.round((ids.length - splits.eval.length) * 0.1));
    }
  });

  it('puts questions that open alike into one split, and turns without a conversation id with their first', async () => {
    const alike = Array.from({ length: 40 }, (_, index) => [
      ask(`a${index}`, `Where is parcel ${index}?`),
      ask(`b${index}`, `where is parcel ${index} !`),
    ]).flat();

    const { splits, dropped } = await curate(alike, options);

    expect(dropped).toEqual({});
    for (const name of splitNames) {
      const numbers = splits[name].map((each) => each.recordId.slice(1)).sort();
      expect(numbers.filter((number, index) => numbers[index + 1] === number)).toHaveLength(
        numbers.length / 2,
      );
    }
  });

  it('still splits when everyone opens with the same words', async () => {
    const greeted = distinct(60, (index) => ({
      conversation_id: `k${index}`,
      request: {
        ...request('hi'),
        messages: [
          { role: 'user', content: 'hi' },
          { role: 'assistant', content: 'Hello.' },
          { role: 'user', content: `question ${index}` },
        ],
      },
    }));

    const { splits } = await curate(greeted, options);

    expect(splits.eval).toHaveLength(20);
  });

  it('stratifies all three splits, and leaves the only record of a class to train', async () => {
    const records = distinct(301, (index) => {
      if (index === 300) return { response: calls(['w2', {}]) };
      return { response: index % 5 === 0 ? calls(['payday', {}]) : says('No.') };
    });

    const { splits } = await curate(records, options);

    const shareOf = (name: 'train' | 'validation' | 'eval'): number =>
      splits[name].filter((each) => each.label === 'payday').length / splits[name].length;
    expect(
      [shareOf('eval'), shareOf('validation'), shareOf('train')].map((share) => Math.abs(share - 0.2) < 0.03),
    ).toEqual([true, true, true]);
    expect(splits.train.map((each) => each.label)).toContain('w2');
  });

  it.each([
    ['one class', () => ({ response: calls(['w2', {}]) })],
    [
      'a class for almost every record',
      (index: number) => ({
        request: request(`q ${index}`, {
          tools: [{ type: 'function', function: { name: `t${index % 50}` } }],
        }),
        response: calls([`t${index % 50}`, {}]),
      }),
    ],
  ])('splits %s', async (_, overrides) => {
    const { splits } = await curate(distinct(60, overrides), options);

    expect(splitNames.map((name) => splits[name].length)).toEqual([36, 4, 20]);
  });

  it('says in numbers what is missing and what to do', async () => {
    const tooFew = curate([...distinct(7), ask('bad', 'x', { response: says(' ') })], options);
    await expect(tooFew).rejects.toThrow(NotEnoughRecordsError);
    await expect(tooFew).rejects.toThrow(
      'Found 7 usable records of 8 (dropped: 1 malformed_answer); at least 10 are needed.',
    );

    const greedy = curate(distinct(30), { ...options, evalSize: 28 });
    await expect(greedy).rejects.toThrow(
      /eval split of 28 .* leave 1 to train on; at least 5 .*smaller eval split \(10/,
    );

    const oneTalk = curate(
      distinct(30, () => ({ conversation_id: 'k' })),
      options,
    );
    await expect(oneTalk).rejects.toThrow(/form only 1 groups/);
  });

  it('rests while it hashes much, which changes nothing and may end it', async () => {
    const records = distinct(500);
    let rests = 0;

    const made = await curate(records, options, async () => void (rests += 1));
    const cancelled = curate(records, options, () => Promise.reject(new Error('cancelled')));

    expect(rests).toBeGreaterThanOrEqual(5);
    expect(made.hash).toBe((await curate(records, options)).hash);
    await expect(cancelled).rejects.toThrow('cancelled');
  });

  it('works at the fewest records, and with an eval size that was asked for', async () => {
    const fewest = await curate(distinct(50), { seed: 0, validationShare: 0.1, minRecords: 50 });
    const asked = await curate(distinct(50), { ...options, evalSize: 5 });
    const noValidation = await curate(distinct(50), { ...options, validationShare: 0 });

    expect(splitNames.map((name) => fewest.splits[name].length)).toEqual([31, 3, 16]);
    expect(asked.splits.eval).toHaveLength(5);
    expect(noValidation.splits.validation).toEqual([]);
  });
});

function sharedGroups(splits: Readonly<Record<string, readonly Example[]>>): string[] {
  const seen = new Map<string, string>();
  return Object.entries(splits).flatMap(([name, members]) =>
    members.flatMap(({ group }) => {
      const before = seen.get(group);
      seen.set(group, name);
      return before !== undefined && before !== name ? [group] : [];
    }),
  );
}
