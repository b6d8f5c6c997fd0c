import type { FeedbackLineage } from '../../activities/ports/feedback.ts';
import type { Feedback } from '../../domain/feedback/feedback.ts';
import { type FeedbackDefaults, parseFeedback } from '../../domain/feedback/parse.ts';
import type { ImportSource } from '../../domain/imports/importer.ts';
import type { RejectedLine } from '../../domain/records/record.ts';

/** What `feedback import --json` prints. */
export interface FeedbackCounts {
  readonly read: number;
  readonly stored: number;
  readonly duplicates: number;
  /** By reason; `conflict`: its key was used before, for something else. */
  readonly rejected: Readonly<Record<string, number>>;
}

export interface ImportFeedbackOptions {
  readonly source: Pick<ImportSource, 'lines'>;
  readonly defaults: FeedbackDefaults;
  readonly feedback: Pick<FeedbackLineage, 'add'>;
  readonly signal: AbortSignal;
}

const piecesPerBatch = 500;
const rejectedShown = 5;

/** Streams feedback into the lineage. Interrupted, it stops after a whole batch; repeated, it stores the rest. */
export async function importFeedback(
  options: ImportFeedbackOptions,
): Promise<{ counts: FeedbackCounts; firstRejected: readonly RejectedLine[] }> {
  const rejected: Record<string, number> = {};
  const counts = { read: 0, stored: 0, duplicates: 0, rejected };
  const firstRejected: RejectedLine[] = [];
  const reject = (row: RejectedLine) => {
    rejected[row.reason] = (rejected[row.reason] ?? 0) + 1;
    if (firstRejected.length < rejectedShown) firstRejected.push(row);
  };
  let batch: { line: number; piece: Feedback }[] = [];
  const flush = async () => {
    const results = await options.feedback.add(batch.map(({ piece }) => piece));
    for (const [index, result] of results.entries()) {
      if (result === 'stored') counts.stored += 1;
      else if (result === 'duplicate') counts.duplicates += 1;
      else reject(conflictAt(batch[index]?.line ?? 0));
    }
    batch = [];
  };
  let line = 0;
  for await (const text of options.source.lines()) {
    line += 1;
    if (text.trim() === '') continue;
    counts.read += 1;
    const row = readLine(text, line, options.defaults);
    if ('reason' in row) reject(row);
    else batch.push(row);
    if (batch.length >= piecesPerBatch) await flush();
    if (options.signal.aborted) break;
  }
  if (batch.length > 0) await flush();
  return { counts, firstRejected };
}

function readLine(
  text: string,
  line: number,
  defaults: FeedbackDefaults,
): RejectedLine | { line: number; piece: Feedback } {
  let value: unknown;
  try {
    value = JSON.parse(line === 1 ? text.replace(/^\uFEFF/, '') : text);
  } catch (error) {
    return { line, reason: 'invalid_json', detail: error instanceof Error ? error.message : String(error) };
  }
  const parsed = parseFeedback(value, defaults);
  return parsed.ok
    ? { line, piece: parsed.feedback }
    : { line, reason: parsed.reason, detail: parsed.detail };
}

function conflictAt(line: number): RejectedLine {
  return { line, reason: 'conflict', detail: 'Its key was used before, for something else; that stays.' };
}
