import { isJsonObject, type JsonObject } from '../json.ts';

/** Text that holds a JSON object or list, as exports to tables write them; anything else as it is. */
export function parseIfJson(value: unknown): unknown {
  if (typeof value !== 'string' || !/^\s*[[{]/.test(value)) return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

/** The object, also where it is written as text; an empty one for everything else. */
export function objectOf(value: unknown): JsonObject {
  const parsed = parseIfJson(value);
  return isJsonObject(parsed) ? parsed : {};
}

/** Text that says something, or null. */
export function textOf(value: unknown): string | null {
  return typeof value === 'string' && value.trim() !== '' ? value : null;
}
