import type { Losses } from './losses.ts';
import { type InsertResult, StoreError } from './record.ts';

export interface QueueLimits {
  readonly maxItems: number;
  readonly maxBytes: number;
  readonly batchItems: number;
  readonly batchBytes: number;
  /** A batch that is not full waits this long for company. */
  readonly flushEveryMs: number;
}

export interface QueueOptions<T> extends QueueLimits {
  readonly send: (items: readonly T[]) => Promise<InsertResult | void>;
  readonly losses: Losses;
}

export interface QueueCounts {
  readonly sent: number;
  readonly duplicates: number;
  readonly waiting: number;
  readonly lastError: string | null;
}

interface Waiting<T> {
  readonly item: T;
  readonly bytes: number;
}

const firstPauseMs = 500;
/** A store that comes back is found again within half a minute. */
const maxPauseMs = 30_000;

/**
 * Items on their way to a store: a bounded buffer, sent in batches behind the application's back. What does not
 * fit is lost, counted, and nobody waits for it. Its timers never keep a process alive.
 */
export class BatchQueue<T> {
  readonly #options: QueueOptions<T>;
  #items: Waiting<T>[] = [];
  #bytes = 0;
  #counts = { sent: 0, duplicates: 0 };
  #lastError: string | null = null;
  #timer: NodeJS.Timeout | null = null;
  #pauseMs = 0;
  #batchItems: number;
  #draining: Promise<void> | null = null;
  /** Cuts the pause after a failure short. */
  #hurry: () => void = () => undefined;

  constructor(options: QueueOptions<T>) {
    this.#options = options;
    this.#batchItems = options.batchItems;
  }

  get counts(): QueueCounts {
    return { ...this.#counts, waiting: this.#items.length, lastError: this.#lastError };
  }

  /** Takes an item of about so many bytes; false where there is no room. Never throws, never waits. */
  push(item: T, bytes: number): boolean {
    const { maxItems, maxBytes, losses } = this.#options;
    if (this.#items.length >= maxItems || this.#bytes + bytes > maxBytes) {
      losses.add('buffer_full', 1, this.#lastError ?? 'more at once than the buffer holds.');
      return false;
    }
    this.#items.push({ item, bytes });
    this.#bytes += bytes;
    this.#schedule();
    return true;
  }

  /** Sends what waits, at once. True when nothing is left; false when `limitMs` was not enough. */
  async flush(limitMs: number): Promise<boolean> {
    const deadline = performance.now() + limitMs;
    while (this.#items.length > 0) {
      const left = deadline - performance.now();
      if (left <= 0) return false;
      this.#hurry();
      await within(left, this.#drain());
    }
    return true;
  }

  /** Gives up what waits; for the end of the process. */
  abandon(): number {
    const n = this.#items.length;
    this.#items = [];
    this.#bytes = 0;
    return n;
  }

  #schedule(): void {
    if (this.#draining !== null) return;
    if (this.#items.length >= this.#options.batchItems) void this.#drain();
    else this.#timer ??= setTimeout(() => void this.#drain(), this.#options.flushEveryMs).unref();
  }

  #drain(): Promise<void> {
    this.#draining ??= this.#sendAll().finally(() => {
      this.#draining = null;
    });
    return this.#draining;
  }

  async #sendAll(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    while (this.#items.length > 0) {
      const batch = this.#nextBatch();
      try {
        this.#settled(batch, (await this.#options.send(batch.map(({ item }) => item))) ?? null);
      } catch (error) {
        await this.#failed(batch, error);
      }
    }
  }

  #nextBatch(): readonly Waiting<T>[] {
    let bytes = 0;
    const fits = this.#items.findIndex((each, index) => {
      bytes += each.bytes;
      return index >= this.#batchItems || (index > 0 && bytes > this.#options.batchBytes);
    });
    return this.#items.slice(0, fits === -1 ? this.#items.length : fits);
  }

  #settled(batch: readonly Waiting<T>[], result: InsertResult | null): void {
    this.#remove(batch);
    this.#pauseMs = 0;
    this.#batchItems = this.#options.batchItems;
    this.#lastError = null;
    this.#counts.sent += result?.stored ?? batch.length;
    this.#counts.duplicates += result?.duplicates ?? 0;
    for (const [reason, n] of Object.entries(result?.rejected ?? {}))
      this.#options.losses.add('refused', n, `the store says ${reason}.`);
  }

  async #failed(batch: readonly Waiting<T>[], error: unknown): Promise<void> {
    this.#lastError = error instanceof Error ? error.message : String(error);
    const { retryable, retryAfterMs, tooLarge } = traits(error);
    if (tooLarge && batch.length > 1) {
      this.#batchItems = Math.ceil(batch.length / 2);
      return;
    }
    if (tooLarge || !retryable) {
      this.#remove(batch);
      this.#options.losses.add(tooLarge ? 'too_large' : 'refused', batch.length, this.#lastError);
      return;
    }
    this.#pauseMs = Math.min(Math.max(this.#pauseMs * 2, firstPauseMs), maxPauseMs);
    // Many processes that lost the same gateway must not come back in step.
    await this.#pause(Math.max(this.#pauseMs * (0.5 + Math.random() / 2), retryAfterMs ?? 0));
  }

  #remove(batch: readonly Waiting<T>[]): void {
    const gone = new Set(batch);
    this.#items = this.#items.filter((each) => !gone.has(each));
    this.#bytes = this.#items.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms).unref();
      this.#hurry = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function traits(error: unknown): { retryable: boolean; retryAfterMs: number | null; tooLarge: boolean } {
  if (error instanceof StoreError) return error;
  const { retryable = true, retryAfterMs = null } = (error ?? {}) as Partial<StoreError>;
  return { retryable, retryAfterMs, tooLarge: false };
}

/** Unlike the queue's own timers this one holds the process: somebody waits for the end of it. */
async function within(limitMs: number, promise: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, limitMs);
  });
  await Promise.race([promise, late]);
  clearTimeout(timer);
}
