import type { JsonObject } from '../json.ts';
import type { HyperparameterNames } from './hyperparameter-names.ts';

/**
 * What servers of one dialect of fine-tuning jobs disagree on, so that another provider is another entry and no
 * other code. Fields are paths into the job's body, such as `method.supervised.hyperparameters`.
 */
export interface FineTuningDialect {
  /** Of its jobs, below the base URL: `/fine_tuning/jobs`. */
  readonly jobsPath: string;
  /** What a training file is uploaded and listed as. */
  readonly purpose: string;
  /** Sent with each job as it stands. */
  readonly body: JsonObject;
  /** The object that holds the hyperparameters; empty: the body itself. */
  readonly hyperparametersIn: string;
  readonly hyperparameters: HyperparameterNames;
  /** null: it takes none, and two trainings of one seed differ. */
  readonly seed: string | null;
  /** null: it names its models without our help. */
  readonly suffix: string | null;
  /** In characters; a longer suffix is cut. */
  readonly longestSuffix: number;
  /**
   * Where a job keeps our strings, the idempotency key among them. null: nowhere, and a job is found again by its
   * training file, which is then named after the key.
   */
  readonly metadata: string | null;
  /** Whether its list of jobs can be asked for one entry of the metadata; else all are read. */
  readonly filtersByMetadata: boolean;
  /** Field of a job's reply that holds the trained model's id. */
  readonly replyModel: string;
  /** What its own words for a job's state mean, beside OpenAI's; an unknown one is a job that has not ended. */
  readonly statuses: Readonly<Record<string, 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled'>>;
  /** Whether what it can train is among the models that it lists. */
  readonly listsBases: boolean;
  /** Whether what it trained answers under the id that the job names; else somebody has to deploy it first. */
  readonly servesTrained: boolean;
}
