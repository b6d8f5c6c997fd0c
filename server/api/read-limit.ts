import { RequestError } from '../openai-error.ts';

const maxLimit = 1_000;

/** The `limit` of a query, a whole number of 1 to 1,000. */
export function limitOf(text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback;
  const limit = Number(text);
  if (Number.isSafeInteger(limit) && limit >= 1 && limit <= maxLimit) return limit;
  throw new RequestError({
    status: 400,
    code: 'invalid_limit',
    message: `limit must be a whole number from 1 to ${maxLimit}.`,
    param: 'limit',
  });
}
