import { InvalidInputError } from '../errors.ts';
import { isJsonObject, jsonProblem } from '../json.ts';
import type { RejectedLine } from '../records/record.ts';
import type { ImportSource } from './importer.ts';

export type ReadValue = { readonly line: number; readonly value: unknown } | RejectedLine;

/** Keys under which APIs page their lists. */
const envelopes = ['data', 'runs'] as const;

/**
 * Reads JSON objects however an export wrote them: one per line, a list, or a page of an API (`{data: […]}`),
 * a page per line too. `line` is the line, or the place in the one list of the file, from 1.
 *
 * JSON Lines stream; a file that is one JSON value is read whole. A line that is not JSON is set aside as
 * `invalid_json`. Throws `InvalidInputError` where the file as a whole is neither.
 */
export async function* readJsonValues(source: ImportSource): AsyncGenerator<ReadValue> {
  if (await isOneValue(source)) {
    const elements = elementsOf(parseWhole(await source.text()));
    for (const [index, value] of elements.entries()) yield { line: index + 1, value };
    return;
  }
  let line = 0;
  for await (const text of source.lines()) {
    line += 1;
    const content = line === 1 ? withoutMark(text) : text;
    if (content.trim() === '') continue;
    const read = parse(content);
    if (!read.ok) yield { line, reason: 'invalid_json', detail: read.detail };
    else for (const value of elementsOf(read.value)) yield { line, value };
  }
}

/** Whether the first line opens a value that it does not close; a cut line of JSON Lines also looks so. */
async function isOneValue(source: ImportSource): Promise<boolean> {
  let lines = 0;
  let opened = false;
  for await (const text of source.lines()) {
    lines += 1;
    const content = withoutMark(text).trim();
    if (content === '') continue;
    // JSON Lines whose first line is broken: the second is a whole value again.
    if (opened) return !(content.startsWith('{') && parse(content).ok);
    if (content === '[' || content === '{') return true;
    if (!/^[[{]/.test(content) || parse(content).ok) return false;
    opened = true;
  }
  // A single line that cannot be parsed is reported as a line.
  return opened && lines > 1;
}

function elementsOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  if (!isJsonObject(value)) return [value];
  for (const key of envelopes) {
    const inner = value[key];
    if (Array.isArray(inner) && !('id' in value)) return inner;
  }
  return [value];
}

function parseWhole(text: string): unknown {
  const read = parse(withoutMark(text));
  if (read.ok) return read.value;
  throw new InvalidInputError(`The file is neither JSON nor JSON Lines: ${read.detail}.`);
}

type Parsed = { ok: true; value: unknown } | { ok: false; detail: string };

function parse(text: string): Parsed {
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch (error) {
    return { ok: false, detail: jsonProblem(error) };
  }
}

function withoutMark(text: string): string {
  return text.replace(/^\uFEFF/, '');
}
