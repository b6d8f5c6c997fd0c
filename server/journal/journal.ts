import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LogStore } from '../../activities/ports/log-store.ts';
import { RejectedError } from '../../domain/errors.ts';
import type { LogRecord } from '../../domain/records/record.ts';
import { type Log, reasonOf } from '../log.ts';
import { RefusedRecords } from './refused.ts';
import { readSegment, type Segment, Segments } from './segments.ts';

export interface JournalOptions {
  readonly folder: string;
  /** Bound of memory and disk together; what does not fit is dropped and counted. */
  readonly maxBytes: number;
  readonly logStore: Pick<LogStore, 'append'>;
  /** What may be stored of a record, on disk already. Here, so that no door can forget it. */
  readonly redact: (record: LogRecord) => LogRecord;
  readonly log: Log;
  /** How often a segment is sealed and shipped. */
  readonly shipEveryMs?: number;
}

export interface JournalStatus {
  /** Records that the log store does not have yet. */
  readonly waiting: number;
  readonly bytes: number;
  readonly shipped: number;
  /** Dropped because the journal was full. */
  readonly overflowed: number;
  /** Refused by the log store for good; kept in `refused.jsonl`. */
  readonly refused: number;
  readonly failingSince: string | null;
  readonly lastError: string | null;
}

/** Records that come together are written together; of the few milliseconds that a record may be in memory alone. */
const gatherMs = 5;
/** Often enough that a record is in the log store within a blink; rare enough that an fsync costs nothing. */
const defaultShipEveryMs = 250;
/** The longest pause between attempts while the log store is down. */
const maxPauseMs = 5_000;
/** A segment fits in memory comfortably when it is read back. */
const maxSegmentBytes = 4 * 1024 * 1024;
const recordsPerAppend = 200;
/** How long a shutdown waits for the log store; what is not shipped then is shipped after the next start. */
const closeWaitMs = 3_000;

/**
 * The gateway's write-ahead journal of records: memory → disk → log store, in order, each record once.
 *
 * A call is answered first; its record reaches the disk a few milliseconds later, before it is sent to the
 * log store, and leaves the disk when the log store has it. So a SIGKILL loses at most the calls answered in
 * those milliseconds, a power cut at most the last `shipEveryMs`. There is one path whether the log store is
 * up or down: an outage only makes the journal longer. Sending twice is harmless, since the log store knows
 * a record by its id.
 */
export class Journal {
  readonly #options: Required<JournalOptions>;
  readonly #segments: Segments;
  #pending: string[] = [];
  /** Of the pending lines and of those that are being written. */
  #pendingBytes = 0;
  #underWay = 0;
  /** Records accepted and records on disk since the start; in between stand those pending. */
  #accepted = 0;
  #written = 0;
  #waitingForDisk: { readonly upTo: number; readonly done: () => void }[] = [];
  /** Operations on the segments take turns behind this promise. */
  #turn: Promise<unknown> = Promise.resolve();
  #writing = false;
  #gathering: NodeJS.Timeout | null = null;
  readonly #refused: RefusedRecords;
  readonly #stopping = new AbortController();
  readonly #shipping: Promise<void>;
  #counts = { shipped: 0, overflowed: 0, refused: 0 };
  #failingSince: string | null = null;
  #lastError: string | null = null;

  private constructor(options: Required<JournalOptions>, segments: Segments) {
    this.#options = options;
    this.#segments = segments;
    this.#refused = new RefusedRecords(join(options.folder, 'refused.jsonl'));
    this.#shipping = this.#shipUntilStopped();
  }

  static async open(options: JournalOptions): Promise<Journal> {
    const segments = await Segments.open(options.folder);
    if (segments.records > 0) options.log.info('journal_resumed', { waiting: segments.records });
    return new Journal({ shipEveryMs: defaultShipEveryMs, ...options }, segments);
  }

  /** Accepts a record without waiting for anything. False when the journal is full: dropped and counted. */
  append(record: LogRecord): boolean {
    const line = JSON.stringify(this.#options.redact(record));
    const bytes = Buffer.byteLength(line) + 1;
    if (this.#segments.bytes + this.#pendingBytes + bytes > this.#options.maxBytes) {
      this.#counts.overflowed += 1;
      // The first and then every thousandth: a full journal must not fill the process's own log.
      if (this.#counts.overflowed % 1000 === 1)
        this.#options.log.warn('journal_overflow', { overflowed: this.#counts.overflowed });
      return false;
    }
    this.#pending.push(line);
    this.#pendingBytes += bytes;
    this.#accepted += 1;
    if (!this.#writing) this.#gathering ??= setTimeout(() => void this.#write(), gatherMs);
    return true;
  }

  /**
   * Waits until everything accepted so far is on disk, where it survives the death of the process; false when
   * the disk does not take it in time. It may still be written later.
   */
  async written(limitMs: number): Promise<boolean> {
    const upTo = this.#accepted;
    if (this.#written >= upTo) return true;
    if (!this.#writing) void this.#write();
    return within(
      limitMs,
      new Promise<void>((resolve) => {
        this.#waitingForDisk.push({ upTo, done: resolve });
      }),
    );
  }

  status(): JournalStatus {
    return {
      waiting: this.#segments.records + this.#pending.length + this.#underWay,
      bytes: this.#segments.bytes + this.#pendingBytes,
      ...this.#counts,
      failingSince: this.#failingSince,
      lastError: this.#lastError,
    };
  }

  /** Writes everything down and ships what it can within a few seconds. The rest waits on disk. */
  async close(): Promise<void> {
    this.#stopping.abort();
    const stopped = await within(closeWaitMs, this.#shipping);
    await this.#write();
    await this.#takeTurn(() => this.#segments.seal());
    if (stopped)
      await within(
        closeWaitMs,
        this.#ship().catch((error: unknown) => this.#failed(error)),
      );
  }

  /** Moves pending lines to the open segment. Lines whose write failed stay in front, to be tried again. */
  async #write(): Promise<void> {
    this.#writing = true;
    if (this.#gathering !== null) clearTimeout(this.#gathering);
    this.#gathering = null;
    try {
      while (this.#pending.length > 0) {
        const lines = this.#pending;
        const bytes = this.#pendingBytes;
        this.#pending = [];
        this.#underWay = lines.length;
        try {
          await this.#takeTurn(() => this.#segments.append(lines));
          // Only now: a line under way takes its part of the bound.
          this.#pendingBytes -= bytes;
          this.#wrote(lines.length);
        } catch (error) {
          this.#pending = [...lines, ...this.#pending];
          return this.#failed(error);
        } finally {
          this.#underWay = 0;
        }
      }
    } finally {
      this.#writing = false;
    }
  }

  #wrote(records: number): void {
    this.#written += records;
    for (const { upTo, done } of this.#waitingForDisk) if (upTo <= this.#written) done();
    this.#waitingForDisk = this.#waitingForDisk.filter(({ upTo }) => upTo > this.#written);
  }

  async #shipUntilStopped(): Promise<void> {
    let pauseMs = this.#options.shipEveryMs;
    while (!this.#stopping.signal.aborted) {
      await sleep(pauseMs, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
      if (this.#stopping.signal.aborted) return;
      try {
        if (!this.#writing) await this.#write();
        await this.#ship();
        pauseMs = this.#options.shipEveryMs;
      } catch (error) {
        this.#failed(error);
        pauseMs = Math.min(pauseMs * 2, maxPauseMs);
      }
    }
  }

  /** Ships the segments, oldest first. While the log store is down they grow instead of multiplying. */
  async #ship(): Promise<void> {
    const { oldest, openBytes } = this.#segments;
    if (openBytes > 0 && (oldest === null || openBytes > maxSegmentBytes))
      await this.#takeTurn(() => this.#segments.seal());
    for (let next = this.#segments.oldest; next !== null; next = this.#segments.oldest)
      await this.#shipSegment(next);
  }

  async #shipSegment(segment: Segment): Promise<void> {
    const { records, torn } = await readSegment(segment.path);
    if (torn > 0) this.#options.log.warn('journal_torn_lines', { torn, segment: segment.sequence });
    for (let start = 0; start < records.length; start += recordsPerAppend)
      await this.#send(records.slice(start, start + recordsPerAppend));
    await this.#takeTurn(() => this.#segments.remove(segment));
    this.#recovered();
  }

  async #send(records: readonly LogRecord[]): Promise<void> {
    try {
      await this.#options.logStore.append(records);
      this.#counts.shipped += records.length;
    } catch (error) {
      if (!isRefusal(error)) throw error;
      // One bad record must not hold up the others: find it by sending each alone.
      if (records.length > 1) for (const record of records) await this.#send([record]);
      else for (const record of records) await this.#setAside(record, error);
    }
  }

  async #setAside(record: LogRecord, error: unknown): Promise<void> {
    const reason = reasonOf(error);
    if (!(await this.#refused.add(record, reason))) return;
    this.#counts.refused += 1;
    this.#options.log.warn('record_refused', { recordId: record.id, reason });
  }

  #failed(error: unknown): void {
    this.#lastError = reasonOf(error);
    if (this.#failingSince !== null) return;
    this.#failingSince = new Date().toISOString();
    this.#options.log.warn('journal_stuck', { reason: this.#lastError });
  }

  #recovered(): void {
    if (this.#failingSince === null) return;
    this.#options.log.info('journal_flows', { stuckSince: this.#failingSince });
    this.#failingSince = null;
    this.#lastError = null;
  }

  #takeTurn<T>(operation: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(operation);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}

/** Whether the promise settled in time. */
async function within(limitMs: number, promise: Promise<unknown>): Promise<boolean> {
  const late = Symbol('late');
  return (await Promise.race([promise, sleep(limitMs, late, { ref: false })])) !== late;
}

/** The log store understood and will never take it. Anything else may pass. */
function isRefusal(error: unknown): boolean {
  return error instanceof RejectedError;
}
