import { asc, count, desc, eq, inArray, sql } from 'drizzle-orm';
import type { ExperimentView } from '../../activities/ports/run-lineage.ts';
import { strategies } from '../../domain/experiments/experiment.ts';
import type { Database } from '../connect.ts';
import {
  adapters,
  candidates,
  evaluationItems,
  evaluations,
  experiments,
  jobs,
} from '../schema/experiments.ts';
import { safetyProgress } from './safety.ts';

type ExperimentRow = typeof experiments.$inferSelect & { candidate: string };
type JobRow = typeof jobs.$inferSelect;
type EvaluationRow = typeof evaluations.$inferSelect & { done: number };

/** The run's experiments: challengers by candidate and strategy, then the champion. */
export async function experimentViews(db: Database, runId: string): Promise<ExperimentView[]> {
  const rows = await experimentRows(db, runId);
  const ids = rows.map((row) => row.id);
  const [jobOf, evaluationOf, checkedOf] = await Promise.all([
    jobsThatCount(db, ids),
    newestEvaluations(db, ids),
    safetyProgress(db, ids),
  ]);
  return rows
    .sort((a, b) => rank(a) - rank(b))
    .map((row) =>
      toView(row, {
        job: jobOf.get(row.id),
        evaluation: evaluationOf.get(row.id),
        checked: checkedOf.get(row.id),
      }),
    );
}

/** Stable sort keeps candidates, read in order of name, together only within one rank of the role. */
function rank(row: ExperimentRow): number {
  return row.role === 'champion' ? 1 : 0;
}

async function experimentRows(db: Database, runId: string): Promise<ExperimentRow[]> {
  const rows = await db
    .select({ experiment: experiments, candidate: candidates.name })
    .from(experiments)
    .innerJoin(candidates, eq(candidates.id, experiments.candidateId))
    .where(eq(experiments.runId, runId))
    .orderBy(asc(candidates.name));
  return rows
    .map(({ experiment, candidate }) => ({ ...experiment, candidate }))
    .sort((a, b) =>
      a.candidate === b.candidate ? strategies.indexOf(a.strategy) - strategies.indexOf(b.strategy) : 0,
    );
}

/** Of an experiment's jobs the one that has its adapter, else the one that was heard of last. */
async function jobsThatCount(db: Database, ids: readonly string[]): Promise<Map<string, JobRow>> {
  const rows = await db
    .selectDistinctOn([jobs.experimentId], { job: jobs })
    .from(jobs)
    .leftJoin(adapters, eq(adapters.jobId, jobs.id))
    .where(inArray(jobs.experimentId, [...ids]))
    .orderBy(
      jobs.experimentId,
      sql`${adapters.createdAt} desc nulls last`,
      desc(jobs.updatedAt),
      desc(jobs.id),
    );
  return new Map(rows.map(({ job }) => [job.experimentId, job]));
}

async function newestEvaluations(db: Database, ids: readonly string[]): Promise<Map<string, EvaluationRow>> {
  const rows = await db
    .selectDistinctOn([evaluations.experimentId])
    .from(evaluations)
    .where(inArray(evaluations.experimentId, [...ids]))
    .orderBy(evaluations.experimentId, desc(evaluations.createdAt), desc(evaluations.id));
  const done = await answeredCounts(
    db,
    rows.map((row) => row.id),
  );
  return new Map(rows.map((row) => [row.experimentId, { ...row, done: done.get(row.id) ?? 0 }]));
}

async function answeredCounts(db: Database, evaluationIds: readonly string[]): Promise<Map<string, number>> {
  const rows = await db
    .select({ id: evaluationItems.evaluationId, done: count() })
    .from(evaluationItems)
    .where(inArray(evaluationItems.evaluationId, [...evaluationIds]))
    .groupBy(evaluationItems.evaluationId);
  return new Map(rows.map((row) => [row.id, row.done]));
}

interface Beside {
  readonly job: JobRow | undefined;
  readonly evaluation: EvaluationRow | undefined;
  readonly checked: ExperimentView['checked'] | undefined;
}

function toView(row: ExperimentRow, { job, evaluation, checked }: Beside): ExperimentView {
  return {
    candidate: row.candidate,
    strategy: row.strategy,
    role: row.role,
    status: row.status,
    stage: row.stage,
    n: evaluation?.n ?? 0,
    failed: evaluation?.failed ?? 0,
    failures: evaluation?.failures ?? {},
    metrics: evaluation?.metrics ?? {},
    ...(row.trainSeconds !== null && { trainSeconds: row.trainSeconds }),
    model: row.serving?.model ?? evaluation?.serving.model ?? null,
    ...(row.failureReason !== null && { failure: row.failureReason }),
    ...toLatency(evaluation),
    ...toTokens(evaluation),
    ...(evaluation?.judge && { judge: evaluation.judge }),
    ...(row.safety !== null && { safety: row.safety }),
    ...(job && { training: toTraining(job) }),
    ...(evaluation && { evaluated: { done: evaluation.done, total: evaluation.total } }),
    ...(checked && { checked }),
  };
}

function toLatency(evaluation?: EvaluationRow): Pick<ExperimentView, 'latencyMs'> {
  const { latencyP50Ms: p50, latencyP95Ms: p95, latencyOf: of } = evaluation ?? {};
  if (typeof p50 !== 'number' || typeof p95 !== 'number') return {};
  return { latencyMs: { p50, p95, ...(typeof of === 'number' && { of }) } };
}

function toTokens(evaluation?: EvaluationRow): Pick<ExperimentView, 'tokens'> {
  const { promptTokens: prompt, completionTokens: completion } = evaluation ?? {};
  return typeof prompt === 'number' && typeof completion === 'number'
    ? { tokens: { prompt, completion } }
    : {};
}

function toTraining(job: JobRow): NonNullable<ExperimentView['training']> {
  return {
    jobId: job.id,
    status: job.status,
    step: job.step ?? 0,
    totalSteps: job.totalSteps ?? 0,
    trainLoss: job.trainLoss,
    validationLoss: job.validationLoss,
    ...(job.hyperparameters?.setAside && { setAside: job.hyperparameters.setAside }),
  };
}
