import { and, eq, inArray, notInArray, sql } from 'drizzle-orm';
import type { ExperimentLineage } from '../../activities/ports/experiment-lineage.ts';
import type { Candidate, ExperimentReport, ExperimentSpec } from '../../domain/experiments/experiment.ts';
import type { Database, Queries } from '../connect.ts';
import { one } from '../rows.ts';
import { adapters, candidates, experiments, jobs } from '../schema/experiments.ts';

export function createExperimentLineage(db: Database): ExperimentLineage {
  return {
    open: (runId, spec) => openExperiment(db, runId, spec),
    async setStage(experimentId, stage, status) {
      await db.update(experiments).set({ stage, status }).where(notEnded(experimentId));
    },
    close: (report) => closeExperiment(db, report),
    async cancelOpen(runId) {
      await db
        .update(experiments)
        .set({ status: 'cancelled', endedAt: sql`now()` })
        .where(and(eq(experiments.runId, runId), inArray(experiments.status, ['pending', 'running'])));
    },
    async recordJob({ jobId, hyperparameters, setAside, ...job }) {
      // Beside what was asked for stands what came of it: no column of its own for what few jobs have.
      const settings = { ...hyperparameters, ...(setAside && { setAside }) };
      const insert = db.insert(jobs).values({ id: jobId, ...job, hyperparameters: settings });
      await (setAside
        ? insert.onConflictDoUpdate({ target: jobs.id, set: { hyperparameters: settings } })
        : insert.onConflictDoNothing());
    },
    async updateJob(jobId, status, progress, error) {
      await db
        .update(jobs)
        .set({ status, ...progress, ...(error !== undefined && { error }), updatedAt: sql`now()` })
        .where(and(eq(jobs.id, jobId), notInArray(jobs.status, ['succeeded', 'failed', 'cancelled'])));
    },
    async recordAdapter(adapter) {
      await db.insert(adapters).values(adapter).onConflictDoNothing();
    },
    async baseModelOf(provider, model) {
      const [found] = await db
        .select({ baseModel: adapters.baseModel })
        .from(adapters)
        .where(and(eq(adapters.provider, provider), eq(adapters.model, model)));
      return found?.baseModel ?? null;
    },
  };
}

/** An experiment that ended is never reopened by a late write. */
function notEnded(experimentId: string) {
  return and(eq(experiments.id, experimentId), inArray(experiments.status, ['pending', 'running']));
}

async function openExperiment(db: Database, runId: string, spec: ExperimentSpec): Promise<void> {
  await db.transaction(async (tx) => {
    const candidateId = await ensureCandidate(tx, spec.candidate);
    await tx
      .insert(experiments)
      .values({
        id: spec.experimentId,
        runId,
        candidateId,
        strategy: spec.strategy,
        role: spec.role,
        serving: spec.serving ?? null,
      })
      .onConflictDoNothing();
  });
}

async function ensureCandidate(tx: Queries, candidate: Candidate): Promise<number> {
  const { name, provider, model } = candidate;
  await tx.insert(candidates).values({ name, provider, model, settings: candidate }).onConflictDoNothing();
  const found = await tx
    .select({ id: candidates.id })
    .from(candidates)
    .where(and(eq(candidates.name, name), eq(candidates.settings, candidate)));
  return one(found, `candidate "${name}"`).id;
}

async function closeExperiment(db: Database, report: ExperimentReport): Promise<void> {
  await db
    .update(experiments)
    .set({
      status: report.status,
      ...(report.status === 'succeeded' && { stage: 'done' as const }),
      ...(report.serving && { serving: report.serving }),
      trainSeconds: report.trainSeconds ?? null,
      failureStage: report.failure?.stage ?? null,
      failureReason: report.failure?.reason ?? null,
      safety: report.safety ?? null,
      endedAt: sql`now()`,
    })
    .where(notEnded(report.experimentId));
}
