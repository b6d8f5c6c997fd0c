import { and, asc, eq, inArray, sql } from 'drizzle-orm';
import type { RecordLineage, RecordTrace } from '../../activities/ports/record-lineage.ts';
import type { Database } from '../connect.ts';
import { toIso } from '../rows.ts';
import { routeMoves, routes } from '../schema/decisions.ts';
import { adapters, candidates, evaluationItems, evaluations, experiments } from '../schema/experiments.ts';
import { datasetRecords, datasets } from '../schema/runs.ts';

export function createRecordLineage(db: Database): RecordLineage {
  return {
    async trace(recordId) {
      const learned = await adaptersOf(db, recordId);
      return {
        recordId,
        datasets: await datasetsOf(db, recordId),
        adapters: learned,
        evaluations: await evaluationsOf(db, recordId),
        moves: await movesTo(
          db,
          learned.map(({ model }) => model),
        ),
      };
    },
  };
}

async function datasetsOf(db: Database, recordId: string): Promise<RecordTrace['datasets']> {
  const rows = await db
    .select({
      datasetId: datasets.id,
      workload: datasets.workloadId,
      runId: datasets.runId,
      split: datasetRecords.split,
      at: datasets.createdAt,
    })
    .from(datasetRecords)
    .innerJoin(datasets, eq(datasets.id, datasetRecords.datasetId))
    .where(eq(datasetRecords.recordId, recordId))
    .orderBy(asc(datasets.createdAt), asc(datasets.id));
  return rows.map((row) => ({ ...row, at: toIso(row.at) }));
}

async function adaptersOf(db: Database, recordId: string): Promise<RecordTrace['adapters']> {
  const rows = await db
    .select({
      model: adapters.model,
      runId: experiments.runId,
      split: datasetRecords.split,
      at: adapters.createdAt,
    })
    .from(datasetRecords)
    .innerJoin(adapters, eq(adapters.datasetId, datasetRecords.datasetId))
    .innerJoin(experiments, eq(experiments.id, adapters.experimentId))
    .where(and(eq(datasetRecords.recordId, recordId), inArray(datasetRecords.split, ['train', 'validation'])))
    .orderBy(asc(adapters.createdAt), asc(adapters.model));
  return rows.map((row) => ({ ...row, at: toIso(row.at) }));
}

async function evaluationsOf(db: Database, recordId: string): Promise<RecordTrace['evaluations']> {
  return db
    .select({
      runId: experiments.runId,
      candidate: candidates.name,
      strategy: experiments.strategy,
      evaluationId: evaluations.id,
      failure: evaluationItems.failure,
      scores: evaluationItems.scores,
    })
    .from(evaluationItems)
    .innerJoin(evaluations, eq(evaluations.id, evaluationItems.evaluationId))
    .innerJoin(experiments, eq(experiments.id, evaluations.experimentId))
    .innerJoin(candidates, eq(candidates.id, experiments.candidateId))
    .where(eq(evaluationItems.recordId, recordId))
    .orderBy(asc(evaluationItems.storedAt), asc(evaluations.id));
}

/** A model's name is unique at its provider, and ends in an id: no two providers make the same one. */
async function movesTo(db: Database, models: readonly string[]): Promise<RecordTrace['moves']> {
  if (models.length === 0) return [];
  const served = sql<string>`${routeMoves.serving}->>'model'`;
  const rows = await db
    .select({
      workload: routeMoves.workloadId,
      version: routeMoves.version,
      model: served,
      at: routeMoves.movedAt,
      newest: routes.version,
    })
    .from(routeMoves)
    .innerJoin(routes, eq(routes.workloadId, routeMoves.workloadId))
    .where(inArray(served, [...models]))
    .orderBy(asc(routeMoves.movedAt), asc(routeMoves.id));
  return rows.map(({ newest, ...row }) => ({ ...row, at: toIso(row.at), current: row.version === newest }));
}
