/** A value that survives `JSON.stringify` and `JSON.parse` unchanged. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

export type JsonObject = { [key: string]: Json };

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Equal as JSON: the order of an object's keys does not matter, that of a list's items does; 1 equals 1.0. */
export function jsonEqual(left: Json, right: Json): boolean {
  if (left === right) return true;
  if (Array.isArray(left) || Array.isArray(right)) {
    if (!Array.isArray(left) || !Array.isArray(right) || left.length !== right.length) return false;
    return left.every((item, index) => jsonEqual(item, right[index] as Json));
  }
  if (!isJsonObject(left) || !isJsonObject(right)) return false;
  const keys = Object.keys(left);
  if (keys.length !== Object.keys(right).length) return false;
  return keys.every((key) => Object.hasOwn(right, key) && jsonEqual(left[key] as Json, right[key] as Json));
}

/** Deeper nesting than any real call has; it would exhaust the stack of whatever walks the value later. */
export const maxJsonDepth = 64;

/** Why a value cannot be stored and hashed everywhere, or null when it can be. */
export function findUnstorable(value: Json, levels = maxJsonDepth): 'too_deep' | 'invalid_text' | null {
  if (typeof value === 'string') return isStorable(value) ? null : 'invalid_text';
  if (typeof value !== 'object' || value === null) return null;
  if (levels === 0) return 'too_deep';
  for (const [key, item] of Object.entries(value)) {
    const found = isStorable(key) ? findUnstorable(item, levels - 1) : 'invalid_text';
    if (found !== null) return found;
  }
  return null;
}

/** PostgreSQL refuses NUL; half of a surrogate pair has no UTF-8 and no canonical JSON. */
function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}

/** What is wrong with a text that `JSON.parse` refused, without the piece of it that the engine quotes. */
export function jsonProblem(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/, (\.\.\.)?".*$/s, '');
}
