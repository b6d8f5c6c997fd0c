import { z } from 'zod';
import type { Example } from '../datasets/dataset.ts';
import { InvalidInputError } from '../errors.ts';
import { renderExample } from './few-shot.ts';
import type { IndexedExample } from './similar-examples.ts';

/** Digits kept of a unit vector's components: likeness stays exact to 1e-4, the file half as long. */
const decimals = 5;

export function indexed(example: Example, embedding: readonly number[]): IndexedExample {
  const { recordId, label } = example;
  return { recordId, label, text: renderExample(example), embedding: unit(embedding) };
}

function unit(vector: readonly number[]): number[] {
  const length = Math.hypot(...vector) || 1;
  return vector.map((component) => Number((component / length).toFixed(decimals)));
}

/** One JSON object per line, in the given order: the same index, the same bytes. */
export function writeIndex(examples: readonly IndexedExample[]): string {
  return examples.map((example) => JSON.stringify(example)).join('\n');
}

const Line: z.ZodType<IndexedExample> = z.object({
  recordId: z.string(),
  label: z.string(),
  text: z.string(),
  embedding: z.array(z.number()).min(1),
});

/** Throws `InvalidInputError` for a text that is no index of few-shot examples. */
export function readIndex(text: string): IndexedExample[] {
  const examples = text.split('\n').map((line) => Line.safeParse(parsed(line)).data);
  if (examples.every((example) => example !== undefined)) return examples;
  throw new InvalidInputError('The few-shot index cannot be read: a line of it is no example.');
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
