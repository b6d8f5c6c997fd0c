import { CsvError, parse } from 'csv-parse/sync';
import { InvalidInputError } from '../errors.ts';

export interface CsvRow {
  /** 1-based row, not counting the header. */
  readonly line: number;
  readonly cells: Readonly<Record<string, string>>;
}

/** Reads CSV with a header. Throws `InvalidInputError` where a quote never ends, or a column is missing. */
export function readCsv(text: string, columns: readonly string[], what: string): CsvRow[] {
  const rows = parseCsv(text, what);
  const header = rows[0] ?? [];
  const missing = columns.filter((column) => !header.includes(column));
  if (missing.length > 0) {
    const found = header.length === 0 ? 'it is empty' : `its header is ${header.join(',').slice(0, 200)}`;
    throw new InvalidInputError(`The file is not ${what}: it has no column ${missing.join(', ')}; ${found}.`);
  }
  return rows.slice(1).map((cells, index) => ({
    line: index + 1,
    cells: Object.fromEntries(header.map((column, at) => [column, cells[at] ?? ''])),
  }));
}

function parseCsv(text: string, what: string): string[][] {
  try {
    return parse(text, { bom: true, relax_column_count: true, skip_empty_lines: true });
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new InvalidInputError(`The file cannot be read as CSV: ${error.message} ${what} is needed.`, {
      cause: error,
    });
  }
}
