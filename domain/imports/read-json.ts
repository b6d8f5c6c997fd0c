import type { z } from 'zod';
import { InvalidInputError } from '../errors.ts';

/** Parses a file that is one JSON value of a known shape. Throws `InvalidInputError`, which names `what` is needed. */
export function readJson<T>(text: string, schema: z.ZodType<T>, what: string): T {
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw new InvalidInputError(`The file is not JSON; ${what} is needed.`, { cause: error });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new InvalidInputError(
    `The file is not ${what}: ${issue?.path.join('.') ?? ''} ${issue?.message ?? 'has another shape'}.`,
  );
}
