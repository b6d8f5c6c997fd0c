import { z } from 'zod';
import type { JsonObject } from '../../domain/json.ts';
import { RequestError } from '../openai-error.ts';
import { type BodyOptions, readBody } from './read-body.ts';

const Anything = z.looseObject({});

/** The items of a batch `{<field>: […]}`, each still unread; a body without the field is one item. */
export async function readItems(
  request: Request,
  field: string,
  limit: number,
  options: BodyOptions,
): Promise<readonly unknown[]> {
  const body = (await readBody(request, Anything, options)) as JsonObject;
  const items = body[field];
  if (items === undefined) return [body];
  if (!Array.isArray(items) || items.length === 0 || items.length > limit)
    throw new RequestError({
      status: 400,
      code: 'invalid_body',
      message: `${field} must be a list of 1 to ${limit} items.`,
      param: field,
    });
  return items;
}
