import type { LogStore } from '../../activities/ports/log-store.ts';
import { type Importer, type ImportSource, isFeedback, isRejected } from '../../domain/imports/importer.ts';
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
  /** That the records belong to, in order of appearance. */
  readonly workloads: readonly string[];
}

export interface ImportRecordsOptions {
  readonly source: ImportSource;
  /** Share of the source that was read, in [0, 1]; null when it cannot be told. */
  readonly share?: () => number | null;
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

/** Streams records into the log store. Interrupted, it stops after a whole batch; repeated, it stores the rest. */
export async function importRecords(options: ImportRecordsOptions): Promise<ImportResult> {
  const { source, share = () => null } = options;
  const rejected: Record<string, number> = {};
  const firstRejected: RejectedLine[] = [];
  const counts = { read: 0, stored: 0, duplicates: 0, rejected };
  const workloads = new Set<string>();
  let batch: LogRecord[] = [];
  const flush = async () => {
    const { stored, duplicates } = await options.logStore.append(batch);
    counts.stored += stored;
    counts.duplicates += duplicates;
    batch = [];
    options.onProgress({ counts, share: share() });
  };
  for await (const row of options.importer.read(source, options)) {
    if (isFeedback(row)) continue;
    counts.read += 1;
    if (isRejected(row)) {
      rejected[row.reason] = (rejected[row.reason] ?? 0) + 1;
      if (firstRejected.length < rejectedShown) firstRejected.push(row);
    } else {
      workloads.add(row.record.workloadId);
      batch.push(row.record);
    }
    if (batch.length >= recordsPerAppend) await flush();
    if (options.signal.aborted) break;
  }
  if (batch.length > 0) await flush();
  return { counts, firstRejected, workloads: [...workloads] };
}
