import { cancellationSignal, heartbeat, log } from '@temporalio/activity';
import type { DatasetFiles } from '../domain/datasets/dataset.ts';
import { RejectedError, UnavailableError } from '../domain/errors.ts';
import { type Candidate, type ServingSpec, trainerOf } from '../domain/experiments/experiment.ts';
import { maxSetAsideShare } from '../domain/experiments/set-aside.ts';
import { fineTuneKey, mostRounds } from './idempotency-keys.ts';
import { keepAlive } from './keep-alive.ts';
import { pause } from './pause.ts';
import type { Lineage } from './ports/lineage.ts';
import type { FineTuneRequest, Trainer, Trainers, TrainingJob, TrainingProgress } from './ports/trainer.ts';
import { explainTooFew, findSetAside, type SetAsideArtifacts } from './set-aside.ts';
import { endJobIfUnwanted } from './unwanted-job.ts';
import { defaultTiming, type TrainingLineage, type TrainingTiming, watchTraining } from './watch-training.ts';

export interface FineTuneInput {
  readonly experimentId: string;
  readonly runId: string;
  readonly workloadId: string;
  readonly candidate: Candidate;
  readonly datasetId: string;
  readonly seed: number;
}

export interface FineTuneResult {
  readonly model: string;
  readonly jobId: string;
  /** As the trainer measured it; null where it does not tell. */
  readonly trainSeconds: number | null;
  readonly serving: ServingSpec;
}

export interface FineTunePorts {
  readonly artifacts: SetAsideArtifacts;
  readonly lineage: {
    readonly datasets: Pick<Lineage['datasets'], 'get'>;
    readonly experiments: TrainingLineage;
  };
  readonly trainers: Trainers;
}

/** What a heartbeat says; the next attempt needs none of it, people and tests do. */
export interface TrainingHeartbeat {
  readonly jobId: string | null;
  readonly waitingFor?: 'device';
  readonly progress: TrainingProgress | null;
}

/** Bounds on what a busy trainer may ask us to wait: it must notice soon that the device is free. */
const busyWaitMs = { least: 1_000, usual: 5_000, most: 30_000 };

/**
 * One LoRA training as one activity on `gpu:<pool>`: adopt or launch → watch → adapter.
 *
 * Records that the candidate cannot learn from are set aside and listed, unless they are too many.
 * However often it is repeated there is one job, found by its key. A cancellation ends the remote job and
 * waits for that; a worker's shutdown does not: the job goes on, and the next attempt adopts it.
 */
export function createFineTune(ports: FineTunePorts, timing: TrainingTiming = defaultTiming) {
  async function fineTune(input: FineTuneInput): Promise<FineTuneResult> {
    const trainer = ports.trainers(trainerOf(input.candidate));
    const dataset = await ports.lineage.datasets.get(input.datasetId);
    const training: Training = {
      input,
      trainer,
      timing,
      files: dataset.files,
      artifacts: ports.artifacts,
      lineage: ports.lineage.experiments,
      state: { jobId: null, progress: null },
    };
    return keepAlive(
      () => training.state,
      async () => {
        for (let round = 1; ; round++) {
          const key = fineTuneKey({ ...input, datasetHash: dataset.summary.hash }, round);
          const { job, again } = await train(training, toRequest(input, key, dataset.files));
          if (job.status === 'succeeded') return succeed(training, job);
          if (!again || round === mostRounds) throw failed(job, round);
          log.warn('The training is launched again', { jobId: job.id, reason: job.error });
        }
      },
    );
  }
  return { fineTune };
}

interface Training {
  readonly input: FineTuneInput;
  readonly trainer: Trainer;
  readonly timing: TrainingTiming;
  readonly files: DatasetFiles;
  readonly artifacts: SetAsideArtifacts;
  readonly lineage: TrainingLineage;
  state: TrainingHeartbeat;
}

function tell(training: Training, state: TrainingHeartbeat): void {
  training.state = state;
  heartbeat(state);
}

/** The job under the request's key once it has ended, and whether a new one should be made. */
async function train(
  training: Training,
  request: FineTuneRequest,
): Promise<{ job: TrainingJob; again: boolean }> {
  const launched = await launchWhenFree(training, request);
  const job = await watchOrEnd(training, launched, request);
  await training.lineage.updateJob(job.id, job.status, training.state.progress, job.error ?? undefined);
  if (job.status === 'succeeded') await recordAgain(training, job, request);
  // Found cancelled, not cancelled while we watched: whoever reset the run asks for the training again.
  return { job, again: job.errorRetryable || launched.status === 'cancelled' };
}

/** A trainer that queues jobs looks at their rows only when their turn has come. Not worth a finished training. */
async function recordAgain(training: Training, job: TrainingJob, request: FineTuneRequest): Promise<void> {
  try {
    await record(training, job, request);
  } catch (error) {
    if (!(error instanceof RejectedError)) throw error;
    log.warn('What the training left out cannot be read', { jobId: job.id, reason: error.message });
  }
}

function failed({ id, status, error }: TrainingJob, rounds: number): RejectedError {
  const nth = rounds === 1 ? '' : ` It was the ${rounds}th attempt; the trainer's log may tell more.`;
  const what =
    status === 'cancelled'
      ? 'was cancelled at the trainer, not by this run'
      : `failed: ${error ?? 'the trainer gives no reason'}`;
  return new RejectedError(`Training job ${id} ${what}.${nth}`);
}

async function watchOrEnd(
  training: Training,
  job: TrainingJob,
  request: FineTuneRequest,
): Promise<TrainingJob> {
  const signal = cancellationSignal();
  tell(training, { jobId: job.id, progress: null });
  try {
    await record(training, job, request);
    return await watchTraining({ ...training, signal }, job, (progress) => {
      tell(training, { jobId: job.id, progress });
    });
  } catch (error) {
    if (!signal.aborted) throw error;
    await endJobIfUnwanted(training, job, training.state.progress);
    throw signal.reason;
  }
}

async function record(training: Training, job: TrainingJob, request: FineTuneRequest): Promise<void> {
  const { input, lineage, files } = training;
  const setAside = await findSetAside(training, job, files);
  const { targetModules = [], ...lora } = request.hyperparameters;
  await lineage.recordJob({
    jobId: job.id,
    experimentId: input.experimentId,
    provider: trainerOf(input.candidate),
    key: request.key,
    datasetId: input.datasetId,
    status: job.status,
    hyperparameters: { ...lora, targetModules: [...targetModules] },
    ...(setAside && { setAside }),
  });
}

/**
 * Waits here, not in the queue, while the device is busy. Our slot is the admission to it, so what occupies it
 * is not ours to wait behind: a job that is still ending, or one that somebody started by hand. Giving the
 * slot back would let the next training run into the same refusal, and put this one behind it.
 */
async function launchWhenFree(training: Training, request: FineTuneRequest): Promise<TrainingJob> {
  const signal = cancellationSignal();
  for (;;) {
    signal.throwIfAborted();
    try {
      // Without the signal: a create that is broken off may leave a job that nobody watches.
      return await training.trainer.launch(request);
    } catch (error) {
      if (!(error instanceof UnavailableError) || error.kind !== 'busy')
        throw explainTooFew(error, request.baseModel);
      const { least, usual, most } = busyWaitMs;
      const waitMs = Math.min(Math.max(error.retryAfterMs ?? usual, least), most);
      tell(training, { jobId: null, waitingFor: 'device', progress: null });
      log.info('The training device is busy', { waitMs, detail: error.message });
      await pause(waitMs, signal);
    }
  }
}

async function succeed({ input, lineage }: Training, job: TrainingJob): Promise<FineTuneResult> {
  const { provider, model: baseModel, maxTokens } = input.candidate;
  if (job.model === null) {
    throw new RejectedError(
      `Training job ${job.id} succeeded but names no model; the trainer broke its contract.`,
    );
  }
  const { experimentId, datasetId } = input;
  await lineage.recordAdapter({
    model: job.model,
    provider,
    baseModel,
    jobId: job.id,
    experimentId,
    datasetId,
  });
  return {
    model: job.model,
    jobId: job.id,
    trainSeconds: job.trainSeconds,
    serving: { provider, model: job.model, fewShotUri: null, maxTokens },
  };
}

function toRequest(input: FineTuneInput, key: string, files: DatasetFiles): FineTuneRequest {
  return {
    key,
    baseModel: input.candidate.model,
    train: files.train,
    validation: files.validation,
    hyperparameters: input.candidate.lora,
    seed: input.seed,
    suffix: toSuffix(input.workloadId),
    metadata: {
      run_id: input.runId,
      workload_id: input.workloadId.slice(0, longestMetadata),
      dataset_id: input.datasetId,
      experiment_id: input.experimentId.slice(0, longestMetadata),
    },
    maxSetAsideShare,
  };
}

/** OpenAI's limit on a metadata value. */
const longestMetadata = 512;

/** The workload in the model's name, for people; what identifies the model is its id. */
function toSuffix(workloadId: string): string {
  return (
    workloadId
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-+|-+$/g, '')
      .slice(0, 40) || 'workload'
  );
}
