import { randomUUID } from 'node:crypto';
import { isJsonObject, type Json, type JsonObject } from '../../../domain/json.ts';

const base58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';

/** `<prefix>-<base58 of a uuid4>`. */
export function newId(prefix: string): string {
  let rest = BigInt(`0x${randomUUID().replaceAll('-', '')}`);
  let text = '';
  while (rest > 0n) {
    text = base58.charAt(Number(rest % 58n)) + text;
    rest /= 58n;
  }
  return `${prefix}-${text}`;
}

let newest = 0;

/** Naive ISO with microseconds, as the services write it; no two are equal. */
export function timestamp(): string {
  newest = Math.max(newest + 1, Date.now() * 1000);
  const milliseconds = new Date(Math.floor(newest / 1000)).toISOString().slice(0, -1);
  return `${milliseconds}${String(newest % 1000).padStart(3, '0')}`;
}

/** Fields that every entity has. A missing name is the id, a missing namespace is `default`. */
export function newEntity(prefix: string, body: JsonObject): JsonObject {
  const id = newId(prefix);
  const now = timestamp();
  return {
    schema_version: '1.0',
    id,
    description: null,
    project: null,
    custom_fields: {},
    ownership: null,
    type_prefix: prefix,
    version_id: 'main',
    version_tags: [],
    created_at: now,
    updated_at: now,
    ...body,
    name: body['name'] ?? id,
    namespace: body['namespace'] ?? 'default',
  };
}

/** Of a model that is given by its name, or whole. */
export function nameOf(model: unknown): unknown {
  return typeof model === 'object' && model !== null && 'name' in model ? model.name : model;
}

/** Values of `api_key` and `hf_token`, wherever they sit, never come back. */
export function redacted(value: Json): Json {
  if (Array.isArray(value)) return value.map(redacted);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      ['api_key', 'hf_token'].includes(key) && inner !== null ? '******' : redacted(inner),
    ]),
  );
}

export function withoutNulls(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== null)
      .map(([key, inner]) => [key, withoutNulls(inner)]),
  );
}
