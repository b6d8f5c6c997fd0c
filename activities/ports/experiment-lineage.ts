import type {
  EvaluationSummary,
  ExperimentReport,
  ExperimentSpec,
  ExperimentStage,
  ExperimentStatus,
  ServingSpec,
} from '../../domain/experiments/experiment.ts';
import type { SetAsideSummary } from '../../domain/experiments/set-aside.ts';
import type { Json, JsonObject } from '../../domain/json.ts';
import type { TrainingProgress, TrainingStatus } from './trainer.ts';

export interface ExperimentLineage {
  open(runId: string, spec: ExperimentSpec): Promise<void>;
  setStage(experimentId: string, stage: ExperimentStage, status: ExperimentStatus): Promise<void>;
  close(report: ExperimentReport): Promise<void>;
  /** Marks every experiment of the run that has not ended. */
  cancelOpen(runId: string): Promise<void>;
  /** Recorded again it stays, but for what it was not trained on, which may be told later. */
  recordJob(job: {
    jobId: string;
    experimentId: string;
    provider: string;
    key: string;
    datasetId: string;
    status: TrainingStatus;
    hyperparameters: JsonObject;
    /** What the job was not trained on; absent for nothing. */
    setAside?: SetAsideSummary;
  }): Promise<void>;
  updateJob(
    jobId: string,
    status: TrainingStatus,
    progress: TrainingProgress | null,
    error?: string,
  ): Promise<void>;
  recordAdapter(adapter: {
    model: string;
    provider: string;
    baseModel: string;
    jobId: string;
    experimentId: string;
    datasetId: string;
  }): Promise<void>;
  /** The base model of an adapter that was recorded; null for any other model. */
  baseModelOf(provider: string, model: string): Promise<string | null>;
}

/** One asked item: stored once, never asked for again. */
export interface EvaluationItem {
  readonly itemId: string;
  readonly recordId: string;
  /** The answer verbatim, or null when there was none. */
  readonly response: Json;
  /** Kind of failure, or null for an answer that could be scored. */
  readonly failure: string | null;
  readonly failureDetail: string | null;
  /** Per-item scores by metric, each in [0, 1]. */
  readonly scores: Readonly<Record<string, number>>;
  readonly latencyMs: number | null;
  readonly promptTokens: number | null;
  readonly completionTokens: number | null;
}

export interface EvaluationLineage {
  /** Opens or finds the evaluation; `evaluationId` is derived from the experiment and what is asked. */
  open(evaluation: {
    evaluationId: string;
    experimentId: string;
    datasetId: string;
    serving: ServingSpec;
    total: number;
  }): Promise<void>;
  /** Every evaluation that was opened for the experiment, ended or not. */
  ofExperiment(experimentId: string): Promise<readonly { evaluationId: string; serving: ServingSpec }[]>;
  storedItemIds(evaluationId: string): Promise<ReadonlySet<string>>;
  storeItems(evaluationId: string, items: readonly EvaluationItem[]): Promise<void>;
  items(evaluationId: string): Promise<readonly EvaluationItem[]>;
  close(summary: EvaluationSummary): Promise<void>;
}
