import type { ArtifactRef } from '../../domain/datasets/dataset.ts';
import type { LoraHyperparameters } from '../../domain/experiments/experiment.ts';

export interface FineTuneRequest {
  /** Idempotency key: starts with the runId and a hash of dataset and hyperparameters. */
  readonly key: string;
  readonly baseModel: string;
  readonly train: ArtifactRef;
  readonly validation: ArtifactRef;
  readonly hyperparameters: LoraHyperparameters;
  readonly seed: number;
  /** Ends up in the model's name; at most 40 characters of `[a-z0-9-]`. */
  readonly suffix: string;
  /** Short strings kept with the job: run, workload, dataset. */
  readonly metadata: Readonly<Record<string, string>>;
  /**
   * In [0, 1): the largest share of the train rows that the trainer may set aside because the model cannot learn
   * from them; validation rows it may set aside freely. With more, or where it is absent, such rows are a
   * `RejectedError`, code `too_many_unfit_rows` or the first row's. Trainers that cut or drop rows by themselves
   * do not know it.
   */
  readonly maxSetAsideShare?: number;
}

/** A row that a job is not trained on. */
export interface SetAsideRow {
  readonly split: 'train' | 'validation';
  /** In the split's file, from 1. */
  readonly line: number;
  /** The trainer's code, such as `row_too_long`. */
  readonly reason: string;
  readonly detail: string;
}

export type TrainingStatus = 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled';

export interface TrainingJob {
  readonly id: string;
  readonly status: TrainingStatus;
  /** The fine-tuned model's id; set once succeeded. */
  readonly model: string | null;
  readonly trainSeconds: number | null;
  readonly error: string | null;
  /** True when the trainer invites a new job (it was restarted); false when repeating is pointless. */
  readonly errorRetryable: boolean;
}

export interface TrainingProgress {
  readonly step: number;
  readonly totalSteps: number;
  readonly trainLoss: number | null;
  readonly validationLoss: number | null;
}

/** Whether the job will not change any more. */
export function hasEnded({ status }: Pick<TrainingJob, 'status'>): boolean {
  return status === 'succeeded' || status === 'failed' || status === 'cancelled';
}

/** Fine-tunes models. Suite: `test/contracts/trainer.contract.ts`. */
export interface Trainer {
  /**
   * Every job that was started under this key, the one that counts first. Mostly one or none; a service that knows
   * no idempotency may have made two.
   */
  findAll(key: string): Promise<readonly TrainingJob[]>;
  /** Starts a job, or returns the one already started under the key. Throws `UnavailableError` when busy. */
  launch(request: FineTuneRequest): Promise<TrainingJob>;
  get(jobId: string): Promise<TrainingJob>;
  /** The newest training step, or null before the first. */
  progress(jobId: string): Promise<TrainingProgress | null>;
  /**
   * Which rows the job is not trained on, in order; complete once the job has succeeded, and before it where the
   * trainer looks at its rows only when its turn has come. Absent from a trainer that does not tell.
   */
  setAside?(jobId: string): Promise<readonly SetAsideRow[]>;
  /** Asks for cancellation; `get` tells when it is done. Harmless on an ended job. */
  cancel(jobId: string): Promise<void>;
}

/** Trainers by provider name. Throws `NotFoundError` naming the configured ones. */
export type Trainers = (provider: string) => Trainer;
