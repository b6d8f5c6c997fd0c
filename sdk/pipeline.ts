import { randomUUID } from 'node:crypto';
import { setImmediate as breathe } from 'node:timers/promises';
import type { JsonObject } from '../domain/json.ts';
import { beforeExit } from './at-exit.ts';
import { BatchQueue, type QueueLimits } from './batch-queue.ts';
import { type Feedback, toWire } from './feedback.ts';
import { Losses, type LossReason } from './losses.ts';
import type { FlywheelRecord, InsertResult, RecordStore } from './record.ts';
import { createRecordIds } from './record-ids.ts';
import type { CallContext, PendingRecord } from './recorder.ts';

export interface PipelineOptions {
  readonly store: RecordStore;
  readonly limits: QueueLimits;
  readonly exitFlushMs: number;
  /** Last look at a record before it leaves the process; null keeps it back. */
  readonly beforeSend: (record: FlywheelRecord) => FlywheelRecord | null;
  readonly onLoss: (message: string) => void;
}

export interface Stats {
  readonly sent: number;
  readonly duplicates: number;
  readonly waiting: number;
  readonly feedback: { readonly sent: number; readonly waiting: number };
  readonly lost: Readonly<Partial<Record<LossReason, number>>>;
  /** Why sending does not work right now; null when it does. */
  readonly lastError: string | null;
}

/** Records and feedback on their way out of one process. */
export class Pipeline {
  readonly losses: Losses;
  readonly recordIds = createRecordIds();
  readonly #options: PipelineOptions;
  readonly #records: BatchQueue<PreparedRecord>;
  readonly #feedback: BatchQueue<JsonObject>;
  readonly #forget: () => void;

  constructor(options: PipelineOptions) {
    const { store, limits } = options;
    this.#options = options;
    this.losses = new Losses(options.onLoss);
    const shared = { ...limits, losses: this.losses };
    this.#records = new BatchQueue({ ...shared, send: (batch) => this.#send(batch) });
    this.#feedback = new BatchQueue({
      ...shared,
      send: async (batch) => store.insertFeedback?.(batch),
    });
    this.#forget = beforeExit({
      isIdle: () => this.#waiting() === 0,
      flush: () => this.#flushAtExit(),
      ended: () => this.#abandon('the process ended.'),
    });
  }

  push(record: PendingRecord, bytes: number): void {
    this.#records.push({ make: record, made: undefined }, bytes);
  }

  /** False where it cannot be kept; never throws. */
  give(feedback: Feedback, { workloadId, clientId }: CallContext): boolean {
    try {
      const recordId = this.#recordIdOf(feedback);
      if (this.#options.store.insertFeedback === undefined)
        return this.#noFeedback('the store takes no feedback.');
      if (recordId === null && !('conversationId' in feedback))
        return this.#noFeedback('no call of this process had that completion.');
      const facts = { recordId, workloadId, clientId, key: randomUUID(), at: new Date() };
      const wire = toWire(feedback, facts);
      return this.#feedback.push(wire, JSON.stringify(wire).length);
    } catch (error) {
      this.losses.add('failed', 1, error instanceof Error ? error.message : String(error));
      return false;
    }
  }

  async flush(limitMs: number): Promise<boolean> {
    const flushed = await Promise.all([this.#records.flush(limitMs), this.#feedback.flush(limitMs)]);
    return flushed.every(Boolean);
  }

  /** Flushes, gives up what is left, and lets go of the process's events. */
  async close(limitMs: number): Promise<boolean> {
    const flushed = await this.flush(limitMs);
    this.#abandon('the logger was closed.');
    this.#forget();
    return flushed;
  }

  stats(): Stats {
    const { sent, duplicates, waiting, lastError } = this.#records.counts;
    const feedback = this.#feedback.counts;
    return {
      ...{ sent, duplicates, waiting },
      feedback: { sent: feedback.sent, waiting: feedback.waiting },
      lost: this.losses.counts,
      lastError: lastError ?? feedback.lastError,
    };
  }

  /** Made once, here and not where the call was; what turns out to be no record is counted and left out. */
  async #send(batch: readonly PreparedRecord[]): Promise<InsertResult | void> {
    for (const prepared of batch) {
      if (prepared.made !== undefined) continue;
      prepared.made = this.#prepare(prepared.make);
      // One record's parsing at a time between the application's own work.
      await breathe();
    }
    const records = batch.flatMap(({ made }) => made ?? []);
    if (records.length === 0) return { stored: 0, duplicates: 0, rejected: {} };
    const result = await this.#options.store.insert(records);
    return result ?? { stored: records.length, duplicates: 0, rejected: {} };
  }

  #prepare(make: PendingRecord): FlywheelRecord | null {
    try {
      const record = make();
      return record && this.#options.beforeSend(record);
    } catch (error) {
      this.losses.add('failed', 1, error instanceof Error ? error.message : String(error));
      return null;
    }
  }

  #recordIdOf(feedback: Feedback): string | null {
    if ('recordId' in feedback) return feedback.recordId;
    return 'completion' in feedback ? this.recordIds.get(feedback.completion.id) : null;
  }

  #noFeedback(detail: string): false {
    this.losses.add('no_feedback', 1, detail);
    return false;
  }

  #waiting(): number {
    return this.#records.counts.waiting + this.#feedback.counts.waiting;
  }

  async #flushAtExit(): Promise<void> {
    if (!(await this.flush(this.#options.exitFlushMs)))
      this.#abandon(`the process ended, and ${this.#options.exitFlushMs} ms were not enough (exitFlushMs).`);
  }

  #abandon(detail: string): void {
    const n = this.#records.abandon() + this.#feedback.abandon();
    if (n > 0) this.losses.add('at_exit', n, detail);
  }
}

interface PreparedRecord {
  readonly make: PendingRecord;
  /** undefined: not yet; null: kept back. */
  made: FlywheelRecord | null | undefined;
}
