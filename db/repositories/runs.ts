import { and, asc, desc, eq, inArray, sql } from 'drizzle-orm';
import type { NewRun, RunLineage, RunListItem } from '../../activities/ports/run-lineage.ts';
import type { Json } from '../../domain/json.ts';
import type { Database, Queries } from '../connect.ts';
import { toIso, toIsoOrNull } from '../rows.ts';
import { approvalGates, verdicts } from '../schema/decisions.ts';
import { runs, snapshots, takenRecords } from '../schema/runs.ts';
import { viewRun } from './run-view.ts';
import { ensureWorkload } from './workloads.ts';

export function createRunLineage(db: Database): RunLineage {
  /** A run that ended stays as it ended, whatever a late activity still writes. */
  const stillRunning = (runId: string) => and(eq(runs.id, runId), eq(runs.status, 'running'));

  return {
    open: (run) => openRun(db, run),
    async setStage(runId, stage) {
      await db.update(runs).set({ stage }).where(stillRunning(runId));
    },
    async close(runId, status, failure) {
      const done = status === 'completed' ? { stage: 'done' as const } : {};
      await db.transaction(async (tx) => {
        const closed = await tx
          .update(runs)
          .set({ status, failure: failure ?? null, endedAt: sql`now()`, ...done })
          .where(stillRunning(runId))
          .returning({ id: runs.id });
        if (closed.length > 0 && status !== 'completed') await giveBackRecords(tx, runId);
      });
    },
    openGates: (workloadId) => openGates(db, workloadId),
    view: (runId) => viewRun(db, runId),
    running: () =>
      db
        .select({ runId: runs.id, workload: runs.workloadId })
        .from(runs)
        .where(eq(runs.status, 'running'))
        .orderBy(asc(runs.startedAt), asc(runs.id)),
    async known(runIds) {
      const found = await db
        .select({ runId: runs.id })
        .from(runs)
        .where(inArray(runs.id, [...runIds]));
      return found.map(({ runId }) => runId);
    },
    list: (workloadId, limit = 50) => listRuns(db, workloadId, limit),
    async latest(workloadId) {
      return (await listRuns(db, workloadId, 1))[0]?.runId ?? null;
    },
  };
}

/** Nothing came of the records that the run took: the next incremental one takes them again. */
async function giveBackRecords(db: Queries, runId: string): Promise<void> {
  const ofRun = db.select({ id: snapshots.id }).from(snapshots).where(eq(snapshots.runId, runId));
  await db.delete(takenRecords).where(inArray(takenRecords.snapshotId, ofRun));
}

async function openRun(
  db: Database,
  { runId, workflowId, workloadId, reason, requestedBy, plan, policyVersion }: NewRun,
): Promise<Json> {
  return db.transaction(async (tx) => {
    await ensureWorkload(tx, workloadId);
    await tx
      .insert(runs)
      .values({ id: runId, workflowId, workloadId, reason, requestedBy, plan, policyVersion })
      .onConflictDoNothing();
    const [stored] = await tx.select({ plan: runs.plan }).from(runs).where(eq(runs.id, runId));
    return stored?.plan ?? plan;
  });
}

async function openGates(db: Database, workloadId: string): Promise<{ runId: string; digest: string }[]> {
  return db
    .select({ runId: approvalGates.runId, digest: approvalGates.digest })
    .from(approvalGates)
    .where(and(eq(approvalGates.workloadId, workloadId), eq(approvalGates.status, 'pending')))
    .orderBy(desc(approvalGates.openedAt));
}

async function listRuns(db: Database, workloadId: string | undefined, limit: number): Promise<RunListItem[]> {
  const rows = await db
    .select({
      runId: runs.id,
      workload: runs.workloadId,
      status: runs.status,
      stage: runs.stage,
      verdict: verdicts.outcome,
      gate: approvalGates.status,
      startedAt: runs.startedAt,
      endedAt: runs.endedAt,
    })
    .from(runs)
    .leftJoin(verdicts, eq(verdicts.runId, runs.id))
    .leftJoin(approvalGates, eq(approvalGates.runId, runs.id))
    .where(workloadId === undefined ? undefined : eq(runs.workloadId, workloadId))
    .orderBy(desc(runs.startedAt), desc(runs.id))
    .limit(limit);
  return rows.map((row) => ({ ...row, startedAt: toIso(row.startedAt), endedAt: toIsoOrNull(row.endedAt) }));
}
