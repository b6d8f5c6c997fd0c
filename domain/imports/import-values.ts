import type { ImportedRow, ImportSource } from './importer.ts';
import { readJsonValues } from './json-values.ts';

/** Rows of a file of JSON objects, whatever they hold: one that cannot be read is set aside, never thrown. */
export async function* importValues(
  source: ImportSource,
  toRows: (line: number, value: unknown) => Iterable<ImportedRow>,
): AsyncGenerator<ImportedRow> {
  for await (const { line, ...read } of readJsonValues(source)) {
    if ('value' in read) yield* guarded(line, () => toRows(line, read.value));
    else yield { line, ...read };
  }
}

/** Nesting deep enough to exhaust the stack is rubbish, or an attack; one line must not end the import. */
export function guarded(line: number, read: () => Iterable<ImportedRow>): ImportedRow[] {
  try {
    return [...read()];
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return [{ line, reason: 'too_deep', detail: 'It is nested too deeply to be read.' }];
  }
}
