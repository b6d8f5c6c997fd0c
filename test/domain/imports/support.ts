import {
  type ImportedRow,
  type Importer,
  type ImportOptions,
  type ImportSource,
} from '../../../domain/imports/importer.ts';

export function source(text: string, siblings: Readonly<Record<string, string>> = {}): ImportSource {
  return {
    async *lines() {
      yield* text.split('\n');
    },
    text: async () => text,
    sibling: async (name) => siblings[name] ?? null,
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
