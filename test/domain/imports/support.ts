import {
  type ImportedRow,
  type Importer,
  type ImportOptions,
  type ImportSource,
  isRejected,
} from '../../../domain/imports/importer.ts';
import type { LogRecord } from '../../../domain/records/record.ts';

export function source(
  text: string,
  siblings: Readonly<Record<string, string>> = {},
  name = 'file',
): ImportSource {
  return {
    name,
    async *lines() {
      yield* text.split('\n');
    },
    text: async () => text,
    sibling: async (file) => siblings[file] ?? null,
  };
}

export async function readAll(
  importer: Importer,
  from: ImportSource,
  options: Partial<ImportOptions> = {},
): Promise<ImportedRow[]> {
  const rows: ImportedRow[] = [];
  for await (const row of importer.read(from, { workloadId: 'hr', clientId: 'c1', ...options }))
    rows.push(row);
  return rows;
}

export function recordsOf(rows: readonly ImportedRow[]): LogRecord[] {
  return rows.flatMap((row) => ('record' in row ? [row.record] : []));
}

/** Reasons by how often they occur. */
export function reasonsOf(rows: readonly ImportedRow[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const row of rows) if (isRejected(row)) counts[row.reason] = (counts[row.reason] ?? 0) + 1;
  return counts;
}
