import type {
  FineTuneRequest,
  Trainer,
  TrainingJob,
  TrainingProgress,
} from '../../activities/ports/trainer.ts';
import { NotFoundError } from '../../domain/errors.ts';

export interface ScriptedTrainer extends Trainer {
  /** In order of launch. */
  readonly jobs: readonly ScriptedJob[];
  readonly requests: readonly FineTuneRequest[];
  /** Another job under the key of this one, as of a create that got no answer. */
  addSurplus(jobId: string): void;
  /** Called before every answer; throws to be unavailable, changes jobs to move on. */
  onCall: (call: 'findAll' | 'launch' | 'get' | 'progress' | 'cancel') => void;
}

export type ScriptedJob = { -readonly [K in keyof TrainingJob]: TrainingJob[K] } & {
  key: string;
  progress: TrainingProgress | null;
  cancelRequested: boolean;
};

/**
 * A trainer whose jobs do what the test says, for the timing that a real one cannot be brought to. The real
 * one is covered by `trainer.contract.ts`.
 */
export function scriptedTrainer(): ScriptedTrainer {
  const jobs: ScriptedJob[] = [];
  const requests: FineTuneRequest[] = [];
  const byId = (jobId: string) => {
    const job = jobs.find(({ id }) => id === jobId);
    if (!job) throw new NotFoundError(`no job ${jobId}`);
    return job;
  };
  const trainer: ScriptedTrainer = {
    jobs,
    requests,
    onCall: () => undefined,
    addSurplus(jobId) {
      jobs.push({ ...byId(jobId), id: `job-${jobs.length + 1}` });
    },
    async findAll(key) {
      trainer.onCall('findAll');
      return jobs.filter((job) => job.key === key);
    },
    async launch(request) {
      trainer.onCall('launch');
      const known = jobs.find((job) => job.key === request.key);
      if (known) return { ...known };
      requests.push(request);
      const job: ScriptedJob = {
        id: `job-${jobs.length + 1}`,
        key: request.key,
        status: 'running',
        model: null,
        trainSeconds: null,
        error: null,
        errorRetryable: false,
        progress: null,
        cancelRequested: false,
      };
      jobs.push(job);
      return { ...job };
    },
    async get(jobId) {
      trainer.onCall('get');
      return { ...byId(jobId) };
    },
    async progress(jobId) {
      trainer.onCall('progress');
      return byId(jobId).progress;
    },
    async cancel(jobId) {
      trainer.onCall('cancel');
      byId(jobId).cancelRequested = true;
    },
  };
  return trainer;
}
