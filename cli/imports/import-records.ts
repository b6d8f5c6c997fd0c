import type { FeedbackLineage, FeedbackResult } from '../../activities/ports/feedback.ts';
import type { AppendResult, LogStore } from '../../activities/ports/log-store.ts';
import {
  type ImportedFeedback,
  type ImportedRecord,
  type Importer,
  type ImportSource,
  isFeedback,
  isRejected,
} from '../../domain/imports/importer.ts';
import type { LogRecord, RejectedLine } from '../../domain/records/record.ts';

/** What `import --json` prints; a public, fixed shape. */
export interface ImportCounts {
  readonly read: number;
  readonly stored: number;
  readonly duplicates: number;
  readonly rejected: Readonly<Record<string, number>>;
  /** Only for a file that says how its calls went. */
  readonly feedback?: { readonly stored: number; readonly duplicates: number };
}

export interface ImportProgress {
  readonly counts: ImportCounts;
  /** Share of the file that was read, in [0, 1]; null for formats that read it whole. */
  readonly share: number | null;
}

export interface ImportResult {
  readonly counts: ImportCounts;
  /** The first of each reason, for people to see what is wrong. */
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
  readonly feedback: Pick<FeedbackLineage, 'add'>;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: ImportProgress) => void;
  /** Awaited for each row that is set aside. */
  readonly onRejected?: (row: RejectedLine) => Promise<void>;
}

const rowsPerBatch = 500;
const rejectedShown = 8;

/** Streams records into the log store. Interrupted, it stops after a whole batch; repeated, it stores the rest. */
export async function importRecords(options: ImportRecordsOptions): Promise<ImportResult> {
  const { source, share = () => null } = options;
  const tally = new ImportTally();
  let records: LogRecord[] = [];
  let feedback: ImportedFeedback[] = [];
  const flush = async () => {
    tally.records(await options.logStore.append(records));
    // After the records that it is about: who reads it finds them.
    if (feedback.length > 0) tally.feedback(feedback, await options.feedback.add(feedback.map(toFeedback)));
    [records, feedback] = [[], []];
    options.onProgress({ counts: tally.counts, share: share() });
  };
  for await (const row of options.importer.read(source, options)) {
    if (isRejected(row)) {
      tally.reject(row);
      await options.onRejected?.(row);
    } else if (isFeedback(row)) feedback.push(row);
    else records.push(tally.accept(row));
    if (records.length + feedback.length >= rowsPerBatch) await flush();
    if (options.signal.aborted) break;
  }
  if (records.length + feedback.length > 0) await flush();
  return { counts: tally.counts, firstRejected: tally.firstRejected, workloads: [...tally.workloads] };
}

function toFeedback(row: ImportedFeedback): ImportedFeedback['feedback'] {
  return row.feedback;
}

/** Counts what becomes of a file's rows. */
class ImportTally {
  readonly firstRejected: RejectedLine[] = [];
  readonly workloads = new Set<string>();
  private readonly rejected: Record<string, number> = {};
  private readonly heard = { stored: 0, duplicates: 0 };
  private readonly sums = { read: 0, stored: 0, duplicates: 0 };

  get counts(): ImportCounts {
    const { sums, rejected, heard } = this;
    return { ...sums, rejected, ...(heard.stored + heard.duplicates > 0 && { feedback: { ...heard } }) };
  }

  accept({ record }: ImportedRecord): LogRecord {
    this.sums.read += 1;
    this.workloads.add(record.workloadId);
    return record;
  }

  reject(row: RejectedLine): void {
    this.sums.read += 1;
    this.setAside(row);
  }

  records({ stored, duplicates }: AppendResult): void {
    this.sums.stored += stored;
    this.sums.duplicates += duplicates;
  }

  feedback(rows: readonly ImportedFeedback[], results: readonly FeedbackResult[]): void {
    for (const [index, result] of results.entries()) {
      if (result === 'stored') this.heard.stored += 1;
      else if (result === 'duplicate') this.heard.duplicates += 1;
      else this.setAside({ line: rows[index]?.line ?? 0, reason: 'feedback_conflict', detail: conflict });
    }
  }

  private setAside(row: RejectedLine): void {
    const seen = this.rejected[row.reason] ?? 0;
    this.rejected[row.reason] = seen + 1;
    // Of each reason one: a thousand spans that are no calls must not hide the one that failed.
    if (seen === 0 && this.firstRejected.length < rejectedShown) this.firstRejected.push(row);
  }
}

const conflict = 'The same feedback was imported before, with another value; the first one stays.';
