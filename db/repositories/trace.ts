import { and, asc, desc, eq } from 'drizzle-orm';
import type { LineageTrace } from '../../activities/ports/route-lineage.ts';
import type { SplitName } from '../../domain/datasets/dataset.ts';
import type { Database } from '../connect.ts';
import { one, toIso } from '../rows.ts';
import { approvals, routes, verdicts } from '../schema/decisions.ts';
import { adapters, candidates, experiments, jobs } from '../schema/experiments.ts';
import { datasetRecords, datasets, runs, workloads } from '../schema/runs.ts';
import { newestEvaluation } from './evaluations.ts';
import { feedbackOnDataset } from './feedback.ts';

type RouteRow = typeof routes.$inferSelect;

/** route ← approval ← verdict ← experiment ← job ← dataset ← records. What is missing is null. */
export async function traceRoute(db: Database, workload: string): Promise<LineageTrace> {
  const known = await db.select().from(workloads).where(eq(workloads.id, workload));
  one(known, `workload "${workload}" in the lineage: it has neither a run nor a route yet`);
  const route = (await db.select().from(routes).where(eq(routes.workloadId, workload)))[0];
  const runId = route?.runId ?? null;
  const winner = runId === null ? null : await winnerOf(db, runId);
  const adapter = winner && (await adapterOf(db, winner.experimentId));
  const dataset = runId === null ? null : await datasetOf(db, runId, adapter?.datasetId);
  const feedback = dataset && (await feedbackOnDataset(db, dataset.id));
  return {
    workload,
    route: route ? toRoute(route) : null,
    approval: runId === null ? null : await approvalOf(db, runId),
    run: runId === null ? null : await runOf(db, runId),
    experiment: winner && {
      candidate: winner.candidate,
      strategy: winner.strategy,
      evaluationId: await newestEvaluation(db, winner.experimentId),
    },
    adapter: adapter && {
      model: adapter.model,
      baseModel: adapter.baseModel,
      jobId: adapter.jobId,
      key: adapter.key,
    },
    dataset: dataset && {
      id: dataset.id,
      hash: dataset.hash,
      manifest: dataset.files.manifest.uri,
      snapshotId: dataset.snapshotId,
      dropped: dataset.dropped,
    },
    records: await recordsOf(db, dataset?.id),
    ...(feedback && { feedback }),
  };
}

function toRoute({ version, serving, since, digest }: RouteRow): LineageTrace['route'] {
  return { version, model: serving?.model ?? 'original', since: toIso(since), digest };
}

async function approvalOf(db: Database, runId: string): Promise<LineageTrace['approval']> {
  const rows = await db
    .select()
    .from(approvals)
    .where(and(eq(approvals.runId, runId), eq(approvals.outcome, 'approve')));
  const row = rows[0];
  return row
    ? { actor: row.actor, reason: row.reason, at: toIso(row.decidedAt), override: row.override }
    : null;
}

async function runOf(db: Database, runId: string): Promise<LineageTrace['run']> {
  const rows = await db
    .select({ startedAt: runs.startedAt, verdict: verdicts.outcome })
    .from(runs)
    .leftJoin(verdicts, eq(verdicts.runId, runs.id))
    .where(eq(runs.id, runId));
  const row = one(rows, `run "${runId}"`);
  return { runId, startedAt: toIso(row.startedAt), verdict: row.verdict };
}

async function winnerOf(db: Database, runId: string) {
  const rows = await db
    .select({ experimentId: experiments.id, candidate: candidates.name, strategy: experiments.strategy })
    .from(verdicts)
    .innerJoin(experiments, eq(experiments.id, verdicts.winnerExperimentId))
    .innerJoin(candidates, eq(candidates.id, experiments.candidateId))
    .where(eq(verdicts.runId, runId));
  return rows[0] ?? null;
}

async function adapterOf(db: Database, experimentId: string) {
  const rows = await db
    .select({
      model: adapters.model,
      baseModel: adapters.baseModel,
      jobId: adapters.jobId,
      datasetId: adapters.datasetId,
      key: jobs.key,
    })
    .from(adapters)
    .innerJoin(jobs, eq(jobs.id, adapters.jobId))
    .where(eq(adapters.experimentId, experimentId))
    .orderBy(desc(adapters.createdAt))
    .limit(1);
  return rows[0] ?? null;
}

async function datasetOf(db: Database, runId: string, datasetId: string | undefined) {
  const rows = await db
    .select()
    .from(datasets)
    .where(datasetId === undefined ? eq(datasets.runId, runId) : eq(datasets.id, datasetId))
    .orderBy(desc(datasets.createdAt))
    .limit(1);
  return rows[0] ?? null;
}

async function recordsOf(db: Database, datasetId: string | undefined): Promise<LineageTrace['records']> {
  const records: Record<SplitName, string[]> = { train: [], validation: [], eval: [] };
  if (datasetId === undefined) return records;
  const rows = await db
    .select({ recordId: datasetRecords.recordId, split: datasetRecords.split })
    .from(datasetRecords)
    .where(eq(datasetRecords.datasetId, datasetId))
    .orderBy(asc(datasetRecords.recordId));
  for (const { recordId, split } of rows) records[split].push(recordId);
  return records;
}
