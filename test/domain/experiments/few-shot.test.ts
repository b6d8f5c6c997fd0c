import { describe, expect, it } from 'vitest';
import type { Example } from '../../../domain/datasets/dataset.ts';
import { renderFewShot, selectFewShot } from '../../../domain/experiments/few-shot.ts';
import { createRandom } from '../../../domain/random.ts';
import { example } from '../support.ts';

const always = async (): Promise<boolean> => true;

function labelled(label: string, count: number): Example[] {
  return Array.from({ length: count }, (_, index) => example({ recordId: `${label}-${index}`, label }));
}

const train = [
  ...labelled('payday', 3),
  ...labelled('w2', 5),
  ...labelled('no_tool', 9),
  ...labelled('rare', 1),
];

describe('selectFewShot', () => {
  it('spreads over the classes, the most frequent first', async () => {
    const { recordIds } = await selectFewShot(train, { maxExamples: 3, seed: 1, fits: always });

    expect(recordIds.map((id) => id.split('-')[0])).toEqual(['no_tool', 'w2', 'payday']);
  });

  it('goes round again when there are more places than classes, and ends with the examples', async () => {
    const six = await selectFewShot(train, { maxExamples: 6, seed: 1, fits: always });
    const all = await selectFewShot(train, { maxExamples: 99, seed: 1, fits: always });

    expect(six.recordIds.map((id) => id.split('-')[0])).toEqual([
      'no_tool',
      'w2',
      'payday',
      'rare',
      'no_tool',
      'w2',
    ]);
    expect(new Set(all.recordIds).size).toBe(train.length);
  });

  it('is the same for the same seed in any order of the examples', async () => {
    const options = { maxExamples: 5, seed: 3, fits: always };

    expect(await selectFewShot(createRandom(9).shuffle(train), options)).toEqual(
      await selectFewShot(train, options),
    );
  });

  it('leaves out what does not fit and still takes what does', async () => {
    const long = {
      ...example({ recordId: 'long', label: 'no_tool' }),
      messages: [{ role: 'user' as const, content: 'x'.repeat(500) }],
    };
    const fits = async (text: string): Promise<boolean> => text.length < 200;

    const { text, recordIds } = await selectFewShot([long, ...labelled('w2', 2)], {
      maxExamples: 3,
      seed: 1,
      fits,
    });

    expect(recordIds).not.toContain('long');
    expect(recordIds).toHaveLength(2);
    expect(text?.length).toBeLessThan(200);
  });

  it('chooses nothing, in a bounded number of tries, where nothing fits', async () => {
    let asked = 0;
    const never = async (): Promise<boolean> => {
      asked += 1;
      return false;
    };

    const chosen = await selectFewShot(labelled('w2', 1000), { maxExamples: 3, seed: 1, fits: never });

    expect(chosen).toEqual({ text: null, recordIds: [] });
    expect(asked).toBeLessThan(10);
  });
});

it('writes examples in the form that the nano models know', () => {
  const loop = example({
    messages: [
      { role: 'system', content: 'HR.' },
      { role: 'user', content: 'my w2' },
      { role: 'assistant', content: null, toolCalls: [{ name: 'w2', arguments: { year: '2025' } }] },
      { role: 'tool', content: 'sent' },
    ],
    target: { kind: 'text', text: 'It was sent.' },
  });

  expect(renderFewShot([example(), loop])).toBe(
    'Examples:\n\nUser: when is payday\nAssistant: call payday {}\n\n' +
      'User: my w2\nAssistant: call w2 {"year":"2025"}\nTool: sent\nAssistant: It was sent.',
  );
});
