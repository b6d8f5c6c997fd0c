import { setTimeout } from 'node:timers/promises';
import { log } from '@temporalio/activity';
import { FlywheelError, UnavailableError } from '../domain/errors.ts';
import { mostRounds } from './idempotency-keys.ts';
import { hasEnded, type TrainingJob } from './ports/trainer.ts';
import { defaultTiming } from './watch-training.ts';

interface Job {
  readonly id: string;
  readonly status: TrainingJob['status'];
}

/** What trainers, evaluators and judges have in common. */
export interface RemoteJobs<J extends Job> {
  findAll(key: string): Promise<readonly J[]>;
  get(jobId: string): Promise<J>;
  cancel(jobId: string): Promise<void>;
}

export interface EndTiming {
  /** Between two looks at a job. */
  readonly pollMs: number;
  /** How long a cancelled job may take to end. */
  readonly endMs: number;
}

export interface Ending<J extends Job> {
  readonly jobs: Pick<RemoteJobs<J>, 'get' | 'cancel'>;
  readonly timing: EndTiming;
}

export const defaultEndTiming: EndTiming = { pollMs: defaultTiming.pollMs, endMs: defaultTiming.endMs };

/** Asks for the job's end. Returns the job once it has ended, or null if it has not in the time allowed. */
export async function endJob<J extends Job>({ jobs, timing }: Ending<J>, jobId: string): Promise<J | null> {
  const deadline = Date.now() + timing.endMs;
  let asked = false;
  do {
    try {
      if (!asked) await jobs.cancel(jobId);
      asked = true;
      const job = await jobs.get(jobId);
      if (hasEnded(job)) return job;
    } catch (error) {
      // Unreachable for a moment, or confused: as long as there is time, ask again.
      if (!(error instanceof FlywheelError)) throw error;
    }
    await setTimeout(Math.min(timing.pollMs, 500));
  } while (Date.now() < deadline);
  return null;
}

/**
 * Ends every job that goes on under the keys of a piece of work, all its rounds and whatever is surplus: jobs that
 * nobody waits for any more. Yields those that it ended.
 *
 * Throws `UnavailableError`, to be tried again, while the service does not answer or has not ended one of them.
 */
export async function* endJobs<J extends Job>(
  { jobs, timing }: Ending<J> & { readonly jobs: RemoteJobs<J> },
  keyOf: (round: number) => string,
): AsyncGenerator<J> {
  for (let round = 1; round <= mostRounds; round++) {
    const found = await jobs.findAll(keyOf(round));
    // A round is only begun once the one before has a job.
    if (found.length === 0) return;
    const open = found.filter((job) => !hasEnded(job));
    for (const { id } of open) log.warn('A job that nobody waits for is ended', { jobId: id });
    const outcomes = await Promise.all(open.map(({ id }) => endJob({ jobs, timing }, id)));
    yield* outcomes.filter((job) => job !== null);
    const stuck = open.filter((_, n) => outcomes[n] === null).map(({ id }) => id);
    if (stuck.length > 0) {
      throw new UnavailableError(
        `Not ended ${timing.endMs / 1000} s after its cancellation: ${stuck.join(', ')}.`,
      );
    }
  }
}
