import { desc, eq } from 'drizzle-orm';
import type { AdapterLineage, AdapterOrigin } from '../../activities/ports/adapter-lineage.ts';
import type { Database } from '../connect.ts';
import { toIso } from '../rows.ts';
import { adapters, candidates, experiments, jobs } from '../schema/experiments.ts';
import { datasets } from '../schema/runs.ts';
import { newestEvaluation } from './evaluations.ts';

export function createAdapterLineage(db: Database): AdapterLineage {
  return {
    async find(model) {
      const rows = await originRows(db, model);
      return Promise.all(
        rows.map(async (row) => toOrigin(row, await newestEvaluation(db, row.experiment.id))),
      );
    },
    async models() {
      const rows = await db.selectDistinct({ model: adapters.model }).from(adapters);
      return rows.map(({ model }) => model);
    },
  };
}

function originRows(db: Database, model: string) {
  return db
    .select({
      adapter: adapters,
      job: jobs,
      experiment: experiments,
      candidate: candidates.name,
      dataset: datasets,
    })
    .from(adapters)
    .innerJoin(jobs, eq(jobs.id, adapters.jobId))
    .innerJoin(experiments, eq(experiments.id, adapters.experimentId))
    .innerJoin(candidates, eq(candidates.id, experiments.candidateId))
    .innerJoin(datasets, eq(datasets.id, adapters.datasetId))
    .where(eq(adapters.model, model))
    .orderBy(desc(adapters.createdAt));
}

type OriginRow = Awaited<ReturnType<typeof originRows>>[number];

function toOrigin(row: OriginRow, evaluationId: string | null): AdapterOrigin {
  const { adapter, job, experiment, dataset } = row;
  const { setAside = null, ...hyperparameters } = job.hyperparameters ?? {};
  return {
    model: adapter.model,
    provider: adapter.provider,
    baseModel: adapter.baseModel,
    createdAt: toIso(adapter.createdAt),
    runId: experiment.runId,
    experimentId: experiment.id,
    candidate: row.candidate,
    strategy: experiment.strategy,
    job: { id: job.id, provider: job.provider, key: job.key, hyperparameters, setAside },
    dataset: { id: dataset.id, hash: dataset.hash, seed: dataset.seed, snapshotId: dataset.snapshotId },
    evaluationId,
  };
}
