/**
 * Why something was not logged.
 *
 * - `buffer_full`: it came faster than it could be sent, or nothing could be sent for long.
 * - `too_large`: larger than `maxRecordBytes`, or than the store takes.
 * - `unfinished`: the answer broke off, or the application stopped reading it.
 * - `unreadable`: request or answer was not what a chat completion looks like.
 * - `refused`: the store will never take it.
 * - `at_exit`: the process ended first.
 * - `failed`: a fault of `beforeSend` or of ours.
 * - `no_feedback`: feedback for a store that takes none, or on a completion that was not logged here.
 */
export type LossReason =
  | 'buffer_full'
  | 'too_large'
  | 'unfinished'
  | 'unreadable'
  | 'refused'
  | 'at_exit'
  | 'failed'
  | 'no_feedback';

/** One reason is told at most so often: an outage must not fill the application's own log. */
const tellEveryMs = 60_000;

/** Counts what was not logged, and tells of it now and then. */
export class Losses {
  readonly #counts: Partial<Record<LossReason, number>> = {};
  readonly #toldAt = new Map<LossReason, number>();
  readonly #tell: (message: string) => void;

  constructor(tell: (message: string) => void) {
    this.#tell = tell;
  }

  get counts(): Readonly<Partial<Record<LossReason, number>>> {
    return { ...this.#counts };
  }

  add(reason: LossReason, n: number, detail: string): void {
    const all = (this.#counts[reason] ?? 0) + n;
    this.#counts[reason] = all;
    const now = performance.now();
    if (now - (this.#toldAt.get(reason) ?? Number.NEGATIVE_INFINITY) < tellEveryMs) return;
    this.#toldAt.set(reason, now);
    try {
      this.#tell(`flywheel: not logged (${reason}, ${all} so far): ${detail}`);
    } catch {
      // A logger that throws is the application's; the application must not notice us.
    }
  }
}
