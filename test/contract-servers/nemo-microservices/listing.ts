import type { Context } from 'hono';
import { isJsonObject, type Json, type JsonObject } from '../../../domain/json.ts';
import { fail } from './replies.ts';
import { text } from './text.ts';

/** Filters that do not compare one field with one value. */
export type OwnFilters = Readonly<Record<string, (entity: JsonObject, wanted: string) => boolean>>;

const defaultPageSize = 10;
/** A service gives no larger pages, whatever is asked for. The real limit is in no source; this one is below what Flywheel asks. */
const largestPageSize = 50;
const bracketed = /^(filter|search)((?:\[[^\]]+\])+)$/;

/** One page of what passes the query's filters. A page past the end is empty, not missing. */
export function listReply(
  context: Context,
  entities: readonly JsonObject[],
  filters: OwnFilters = {},
): JsonObject {
  const query = new URL(context.req.url).searchParams;
  const page = positive(query, 'page', 1);
  const size = Math.min(positive(query, 'page_size', defaultPageSize), largestPageSize);
  const sort = query.get('sort') ?? 'created_at';
  const found = entities.filter((entity) => matches(entity, query, filters)).sort(bySort(sort));
  const data = found.slice((page - 1) * size, page * size);
  return {
    object: 'list',
    data: [...data],
    pagination: {
      page,
      page_size: size,
      current_page_size: data.length,
      total_pages: Math.ceil(found.length / size),
      total_results: found.length,
    },
    sort,
    filter: conditions(query, 'filter'),
    search: null,
  };
}

function positive(query: URLSearchParams, name: string, usual: number): number {
  const given = query.get(name);
  if (given === null) return usual;
  const number = Number(given);
  if (Number.isInteger(number) && number >= 1) return number;
  throw fail(422, [
    { loc: ['query', name], msg: 'Input should be greater than or equal to 1', type: 'greater_than_equal' },
  ]);
}

function matches(entity: JsonObject, query: URLSearchParams, filters: OwnFilters): boolean {
  for (const [key, wanted] of query) {
    const [, kind, brackets = ''] = bracketed.exec(key) ?? [];
    const path = [...brackets.matchAll(/\[([^\]]+)\]/g)].map(([, part]) => part ?? '');
    const [field = '', operator] = path;
    if (kind === 'filter' && !passes(entity, field, operator, wanted, filters)) return false;
    if (kind === 'search' && !text(entity[field] ?? '').includes(wanted)) return false;
  }
  return true;
}

function passes(
  entity: JsonObject,
  field: string,
  operator: string | undefined,
  wanted: string,
  filters: OwnFilters,
): boolean {
  const own = filters[field];
  if (own) return own(entity, wanted);
  const value = entity[field];
  if (operator === 'gte') return text(value) >= wanted;
  if (operator === 'lte') return text(value) <= wanted;
  if (operator !== undefined) return isJsonObject(value) && text(value[operator]) === wanted;
  return text(value) === wanted;
}

function bySort(sort: string) {
  const field = sort.replace(/^-/, '');
  const sign = sort.startsWith('-') ? -1 : 1;
  const keyOf = (entity: JsonObject) => text(entity[field] ?? '');
  return (a: JsonObject, b: JsonObject) => (keyOf(a) < keyOf(b) ? -sign : keyOf(a) > keyOf(b) ? sign : 0);
}

function conditions(query: URLSearchParams, kind: string): Json {
  const pairs = [...query].filter(([key]) => key.startsWith(`${kind}[`));
  return pairs.length === 0
    ? null
    : Object.fromEntries(pairs.map(([key, value]) => [key.slice(kind.length + 1, -1), value]));
}
