import { describe, expect, it } from 'vitest';
import { readIndex, writeIndex } from '../../../domain/experiments/few-shot-index.ts';
import { questionOf } from '../../../domain/experiments/question.ts';
import { cosine, type IndexedExample, selectSimilar } from '../../../domain/experiments/similar-examples.ts';

/** At so many degrees from the question, which points along the first axis. */
function at(degrees: number, label: string): IndexedExample {
  const angle = (degrees * Math.PI) / 180;
  return {
    recordId: `${label}-${degrees}`,
    label,
    text: label,
    embedding: [Math.cos(angle), Math.sin(angle)],
  };
}
const question = [1, 0];

function chosen(index: IndexedExample[], maxExamples: number, relevanceShare: number): string[] {
  return selectSimilar(question, index, { maxExamples, relevanceShare }).map(({ recordId }) => recordId);
}

describe('examples by likeness', () => {
  it('are the most alike first, whatever their order in the index', () => {
    const index = [at(30, 'a'), at(5, 'a'), at(80, 'a'), at(10, 'a')];

    expect(chosen(index, 3, 1)).toEqual(['a-5', 'a-10', 'a-30']);
    expect(chosen(index.reverse(), 3, 1)).toEqual(['a-5', 'a-10', 'a-30']);
  });

  it('leave the rest of their places to classes that have none yet', () => {
    const index = [at(1, 'a'), at(2, 'a'), at(3, 'a'), at(40, 'b'), at(50, 'c')];

    // ⌊3 × 0.7⌋ = 2 by likeness alone, as the blueprint counts.
    expect(chosen(index, 3, 0.7)).toEqual(['a-1', 'a-2', 'b-40']);
    expect(chosen(index, 3, 0)).toEqual(['a-1', 'b-40', 'c-50']);
    expect(chosen(index, 3, 1)).toEqual(['a-1', 'a-2', 'a-3']);
  });

  it('fill up with the next most alike once all classes are covered', () => {
    expect(chosen([at(1, 'a'), at(2, 'a'), at(3, 'b'), at(4, 'a')], 4, 0.5)).toEqual([
      'a-1',
      'a-2',
      'b-3',
      'a-4',
    ]);
  });

  it('are looked for among near neighbours only: a class far away is not worth covering', () => {
    const near = Array.from({ length: 10 }, (_, n) => at(n, 'a'));

    expect(chosen([...near, at(90, 'b')], 2, 0.5)).toEqual(['a-0', 'a-1']);
  });

  it('are fewer where there are fewer, and none of none', () => {
    expect(chosen([at(1, 'a')], 3, 0.7)).toEqual(['a-1']);
    expect(chosen([], 3, 0.7)).toEqual([]);
  });
});

describe('cosine', () => {
  it.each([
    [[1, 0], [0, 1], 0],
    [[1, 2], [2, 4], 1],
    [[1, 0], [-3, 0], -1],
    [[3, 4], [4, 3], 24 / 25],
    [[0, 0], [1, 1], 0],
  ])('of %j and %j is %d', (a, b, likeness) => {
    expect(cosine(a, b)).toBeCloseTo(likeness, 12);
  });
});

describe('the index', () => {
  it('is read as it was written', () => {
    const index = [at(1, 'a'), { ...at(2, 'b'), text: 'two\nlines' }];

    expect(readIndex(writeIndex(index))).toEqual(index);
  });

  it.each(['', 'Examples:\n\nUser: hi', '{"recordId":"a"}'])('refuses %j with a reason', (text) => {
    expect(() => readIndex(text)).toThrow('The few-shot index cannot be read');
  });
});

describe('the question of a conversation', () => {
  it.each([
    [
      'its last user message',
      [
        { role: 'user', content: 'one' },
        { role: 'user', content: ' two ' },
      ],
      'two',
    ],
    [
      'not what a tool said after it',
      [
        { role: 'user', content: 'q' },
        { role: 'tool', content: 'r' },
      ],
      'q',
    ],
    [
      'the text among its parts',
      [
        {
          role: 'user',
          content: [
            { type: 'image_url', image_url: {} },
            { type: 'text', text: 'what?' },
          ],
        },
      ],
      'what?',
    ],
    ['nothing without a user', [{ role: 'system', content: 's' }], ''],
  ])('is %s', (_, messages, wanted) => {
    expect(questionOf(messages)).toBe(wanted);
  });
});
