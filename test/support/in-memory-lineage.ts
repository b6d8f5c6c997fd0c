import type { NewDataset } from '../../activities/ports/dataset-lineage.ts';
import type { EvaluationItem, EvaluationLineage } from '../../activities/ports/experiment-lineage.ts';
import type { JudgementLineage } from '../../activities/ports/judgement-lineage.ts';
import type { SafetyCheckItem, SafetyLineage } from '../../activities/ports/safety-lineage.ts';
import type { TrainingLineage } from '../../activities/watch-training.ts';
import { NotFoundError } from '../../domain/errors.ts';
import type { SafetySummary } from '../../domain/guardrails/safety.ts';
import type { Judgement, JudgeSummary } from '../../domain/judging/judge.ts';

/** The datasets that a test is about. */
export function inMemoryDatasets(...datasets: NewDataset[]) {
  return {
    async get(datasetId: string): Promise<NewDataset> {
      const found = datasets.find((dataset) => dataset.summary.id === datasetId);
      if (!found) throw new NotFoundError(`no dataset ${datasetId}`);
      return found;
    },
  };
}

export interface InMemoryEvaluations extends EvaluationLineage {
  readonly stored: Map<string, EvaluationItem>;
  readonly opened: ReadonlyMap<string, { readonly experimentId: string }>;
}

/** One item per id, whichever evaluation; the first write stays, as in PostgreSQL. */
export function inMemoryEvaluations(): InMemoryEvaluations {
  const stored = new Map<string, EvaluationItem>();
  const opened = new Map<string, Parameters<EvaluationLineage['open']>[0]>();
  return {
    stored,
    opened,
    open: async (evaluation) => void opened.set(evaluation.evaluationId, evaluation),
    ofExperiment: async (experimentId) =>
      [...opened.values()]
        .filter((one) => one.experimentId === experimentId)
        .map(({ evaluationId, serving }) => ({ evaluationId, serving })),
    storedItemIds: async () => new Set(stored.keys()),
    async storeItems(_, items) {
      for (const item of items) if (!stored.has(item.itemId)) stored.set(item.itemId, item);
    },
    items: async () => [...stored.values()],
    close: async () => undefined,
  };
}

type Job = Parameters<TrainingLineage['recordJob']>[0];
type Adapter = Parameters<TrainingLineage['recordAdapter']>[0];

export interface InMemoryTrainings extends TrainingLineage {
  /** By job id: what was recorded, and the last that became known of it. */
  readonly jobs: Map<
    string,
    Job & { error?: string | undefined; step?: number | undefined; updates: number }
  >;
  readonly adapters: Map<string, Adapter>;
}

export function inMemoryTrainings(): InMemoryTrainings {
  const jobs: InMemoryTrainings['jobs'] = new Map();
  const adapters: InMemoryTrainings['adapters'] = new Map();
  return {
    jobs,
    adapters,
    async recordJob(job) {
      const known = jobs.get(job.jobId);
      if (!known) jobs.set(job.jobId, { ...job, updates: 0 });
      else if (job.setAside) jobs.set(job.jobId, { ...known, setAside: job.setAside });
    },
    async updateJob(jobId, status, progress, error) {
      const job = jobs.get(jobId);
      // As in PostgreSQL: what was never recorded cannot be updated, which is no failure.
      if (job) jobs.set(jobId, { ...job, status, error, step: progress?.step, updates: job.updates + 1 });
    },
    recordAdapter: async (adapter) => void adapters.set(adapter.model, adapter),
  };
}

export interface InMemoryJudgements extends JudgementLineage {
  readonly summaries: Map<string, JudgeSummary>;
}

/** One judgement per item and judge; the first stays, as in PostgreSQL. */
export function inMemoryJudgements(): InMemoryJudgements {
  const stored = new Map<string, Map<string, Judgement>>();
  const summaries = new Map<string, JudgeSummary>();
  return {
    summaries,
    of: async (evaluationId, judgeId) => new Map(stored.get(`${evaluationId}/${judgeId}`)),
    async store({ evaluationId, itemId, judgeId, judgement }) {
      const key = `${evaluationId}/${judgeId}`;
      const known = stored.get(key) ?? new Map<string, Judgement>();
      stored.set(key, known);
      if (!known.has(itemId)) known.set(itemId, judgement);
    },
    close: async (evaluationId, summary) => void summaries.set(evaluationId, summary),
  };
}

export interface InMemorySafety extends SafetyLineage {
  readonly stored: Map<string, SafetyCheckItem>;
  readonly summaries: Map<string, SafetySummary>;
}

/** One check; the first result of an item stays, as in PostgreSQL. */
export function inMemorySafety(): InMemorySafety {
  const stored = new Map<string, SafetyCheckItem>();
  const summaries = new Map<string, SafetySummary>();
  return {
    stored,
    summaries,
    open: async () => undefined,
    items: async () => [...stored.values()],
    async storeItem(_, item) {
      if (!stored.has(item.itemId)) stored.set(item.itemId, item);
    },
    close: async (summary) => void summaries.set(summary.checkId, summary),
  };
}
