import { appendFile, readFile } from 'node:fs/promises';
import type { LogRecord } from '../../domain/records/record.ts';

/**
 * The file of records that the log store will never take, for a person to look at: `{reason, record}` on a line.
 * A segment may be sent again, after an outage or a restart; each record is kept here once all the same.
 */
export class RefusedRecords {
  readonly #path: string;
  /** Of the file; read at the first refusal, since most gateways never see one. */
  #ids: Promise<Set<string>> | null = null;

  constructor(path: string) {
    this.#path = path;
  }

  /** False when it is there already. Calls must not overlap. */
  async add(record: LogRecord, reason: string): Promise<boolean> {
    this.#ids ??= this.#read();
    const ids = await this.#ids.catch((error: unknown) => {
      this.#ids = null;
      throw error;
    });
    if (ids.has(record.id)) return false;
    await appendFile(this.#path, `${JSON.stringify({ reason, record })}\n`, { mode: 0o600 });
    ids.add(record.id);
    return true;
  }

  async #read(): Promise<Set<string>> {
    const text = await readFile(this.#path, 'utf8').catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
      throw error;
    });
    // A crash may have cut the last line short: the next one must not be joined to it.
    if (text !== '' && !text.endsWith('\n')) await appendFile(this.#path, '\n');
    return new Set(text.split('\n').flatMap((line) => idOf(line) ?? []));
  }
}

function idOf(line: string): string | null {
  try {
    return (JSON.parse(line) as { record: LogRecord }).record.id;
  } catch {
    return null;
  }
}
