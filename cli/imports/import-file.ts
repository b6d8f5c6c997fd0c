import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { LogStore } from '../../activities/ports/log-store.ts';
import { InvalidInputError } from '../../domain/errors.ts';
import { type Importer, type ImportSource, isRejected } from '../../domain/imports/importer.ts';
import type { LogRecord, RejectedLine } from '../../domain/records/record.ts';

/** What `import --json` prints; a public, fixed shape. */
export interface ImportCounts {
  readonly read: number;
  readonly stored: number;
  readonly duplicates: number;
  readonly rejected: Readonly<Record<string, number>>;
}

export interface ImportProgress {
  readonly counts: ImportCounts;
  /** Share of the file that was read, in [0, 1]; null for formats that read it whole. */
  readonly share: number | null;
}

export interface ImportResult {
  readonly counts: ImportCounts;
  /** The first few, for people to see what is wrong. */
  readonly firstRejected: readonly RejectedLine[];
}

export interface ImportFileOptions {
  readonly file: string;
  readonly importer: Importer;
  readonly workloadId: string;
  readonly clientId: string;
  readonly domain?: string;
  readonly logStore: Pick<LogStore, 'append'>;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: ImportProgress) => void;
}

const recordsPerAppend = 500;
const rejectedShown = 5;

/** Streams a file into the log store. Interrupted, it stops after a whole batch; repeated, it stores the rest. */
export async function importFile(options: ImportFileOptions): Promise<ImportResult> {
  const source = await openSource(options.file);
  const rejected: Record<string, number> = {};
  const firstRejected: RejectedLine[] = [];
  const counts = { read: 0, stored: 0, duplicates: 0, rejected };
  let batch: LogRecord[] = [];
  const flush = async () => {
    const { stored, duplicates } = await options.logStore.append(batch);
    counts.stored += stored;
    counts.duplicates += duplicates;
    batch = [];
    options.onProgress({ counts, share: source.share() });
  };
  for await (const row of options.importer.read(source, options)) {
    counts.read += 1;
    if (isRejected(row)) {
      rejected[row.reason] = (rejected[row.reason] ?? 0) + 1;
      if (firstRejected.length < rejectedShown) firstRejected.push(row);
    } else batch.push(row.record);
    if (batch.length >= recordsPerAppend) await flush();
    if (options.signal.aborted) break;
  }
  if (batch.length > 0) await flush();
  return { counts, firstRejected };
}

async function openSource(file: string): Promise<ImportSource & { share(): number | null }> {
  const found = await stat(file).catch(() => null);
  if (found === null || !found.isFile()) throw new InvalidInputError(`There is no file ${file}.`);
  let bytesRead: number | null = null;
  return {
    async *lines() {
      const stream = createReadStream(file);
      stream.on('data', (chunk) => {
        bytesRead = (bytesRead ?? 0) + chunk.length;
      });
      yield* createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY });
    },
    text: () => readFile(file, 'utf8'),
    sibling: (name) => readFile(join(dirname(file), name), 'utf8').catch(() => null),
    share: () => (bytesRead === null || found.size === 0 ? null : bytesRead / found.size),
  };
}
