import type { Feedback } from '../feedback/feedback.ts';
import type { LogRecord, RejectedLine } from '../records/record.ts';

/** The file to import, as the caller opens it. Nothing in `domain` touches the disk. */
export interface ImportSource {
  /** The file's own name, without its folder. */
  readonly name: string;
  /** Lines without their ending; a file of any size streams. */
  lines(): AsyncIterable<string>;
  /** The whole text, for formats that are one JSON value. */
  text(): Promise<string>;
  /** The text of a file of that name in the same folder, or null when there is none. */
  sibling(name: string): Promise<string | null>;
}

export interface ImportOptions {
  /** For records that do not name their own. */
  readonly workloadId: string;
  readonly clientId: string;
  /** `clinc150` only, where it is required. */
  readonly domain?: string;
}

export interface ImportedRecord {
  /** 1-based line or row in the source. */
  readonly line: number;
  readonly record: LogRecord;
}

/** What the source says about how a record or conversation went. */
export interface ImportedFeedback {
  /** 1-based line or row in the source. */
  readonly line: number;
  readonly feedback: Feedback;
}

/** One row of a source: a record, feedback, or why it was set aside. */
export type ImportedRow = ImportedRecord | ImportedFeedback | RejectedLine;

export function isRejected(row: ImportedRow): row is RejectedLine {
  return 'reason' in row;
}

export function isFeedback(row: ImportedRow): row is ImportedFeedback {
  return 'feedback' in row;
}

/** Reads one file format. Throws `InvalidInputError` where the file as a whole cannot be used. */
export interface Importer {
  /** One line for `--help`. */
  readonly description: string;
  /** Arguments of one call that works, for `--help`: everything after `flywheel import`. */
  readonly example: string;
  read(source: ImportSource, options: ImportOptions): AsyncIterable<ImportedRow>;
}

/** Rows without a timestamp are numbered in seconds from here, so that importing again makes the same ids. */
const epochMs = Date.UTC(2024, 0, 1);

/** `row` counts from 1. */
export function rowTimestamp(row: number): string {
  return new Date(epochMs + row * 1000).toISOString();
}
