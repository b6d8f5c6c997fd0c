import { log } from '@temporalio/activity';
import { FlywheelError, RejectedError, UnavailableError } from '../domain/errors.ts';
import { mostRounds } from './idempotency-keys.ts';
import { isUnwanted } from './is-unwanted.ts';
import { pause } from './pause.ts';
import type { EvaluationJob, Evaluator } from './ports/evaluator.ts';
import { hasEnded } from './ports/trainer.ts';

export interface RemoteWork {
  readonly evaluator: Pick<Evaluator, 'get' | 'cancel'>;
  /** What it is called in messages: `Evaluation`, `Judging`. */
  readonly name: string;
  /** Launches or adopts the job of this round. */
  readonly launch: (round: number) => Promise<EvaluationJob>;
  readonly timing: RemoteTiming;
  readonly signal: AbortSignal;
}

export interface RemoteTiming {
  /** Between two looks at a job. */
  readonly pollMs: number;
  /** How long the evaluator may be silent before the attempt gives up. */
  readonly silenceMs: number;
}

export const defaultRemoteTiming: RemoteTiming = { pollMs: 2_000, silenceMs: 120_000 };

/**
 * An evaluator's job that has succeeded. However often this is repeated there is one job, found by its key; one
 * that the evaluator lost is made again. A cancellation that means it ends the job.
 */
export async function finishedJob(work: RemoteWork): Promise<EvaluationJob> {
  for (let round = 1; ; round++) {
    const launched = await work.launch(round);
    const job = await watchOrEnd(work, launched);
    if (job.status === 'succeeded') return job;
    const again = job.errorRetryable || launched.status === 'cancelled';
    if (!again || round === mostRounds) throw failed(work.name, job);
    log.warn(`${work.name} is launched again`, { jobId: job.id, reason: job.error });
  }
}

async function watchOrEnd(work: RemoteWork, job: EvaluationJob): Promise<EvaluationJob> {
  try {
    return await watch(work, job);
  } catch (error) {
    if (work.signal.aborted && (await isUnwanted())) await cancel(work, job.id);
    throw error;
  }
}

async function watch({ evaluator, timing, signal }: RemoteWork, job: EvaluationJob): Promise<EvaluationJob> {
  let current = job;
  for (let lastAnswer = Date.now(); !hasEnded(current); ) {
    await pause(timing.pollMs, signal);
    try {
      current = await evaluator.get(job.id);
      lastAnswer = Date.now();
    } catch (error) {
      if (!(error instanceof UnavailableError) || Date.now() - lastAnswer > timing.silenceMs) throw error;
    }
  }
  return current;
}

/** The cancellation must not turn into another failure; the experiment ends what is left here (`endEvaluation`). */
async function cancel({ evaluator, name }: RemoteWork, jobId: string): Promise<void> {
  try {
    await evaluator.cancel(jobId);
  } catch (error) {
    if (!(error instanceof FlywheelError)) throw error;
    log.error(`${name} could not be cancelled`, { jobId, reason: error.message });
  }
}

function failed(name: string, { id, status, error }: EvaluationJob): RejectedError {
  const what = status === 'cancelled' ? 'was cancelled there, not by this run' : 'failed';
  return new RejectedError(`${name} job ${id} ${what}: ${error ?? 'the evaluator gives no reason'}.`);
}
