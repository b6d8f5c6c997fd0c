import { desc, eq } from 'drizzle-orm';
import type { RunView } from '../../activities/ports/run-lineage.ts';
import type { Database } from '../connect.ts';
import { one, toIso, toIsoOrNull } from '../rows.ts';
import { approvalGates, approvals, routeMoves, routes, verdicts } from '../schema/decisions.ts';
import { datasets, policies, runs, snapshots } from '../schema/runs.ts';
import { experimentViews } from './experiment-view.ts';
import { feedbackOnDataset } from './feedback.ts';

/** All that is known of a run, in the fixed shape that `show` prints. */
export async function viewRun(db: Database, runId: string): Promise<RunView> {
  const run = one(
    await db.select().from(runs).where(eq(runs.id, runId)),
    `run "${runId}" (flywheel runs lists them)`,
  );
  const [snapshot, dataset, experiments, verdict, approval, route, policy] = await Promise.all([
    snapshotOf(db, runId),
    datasetOf(db, runId),
    experimentViews(db, runId),
    verdictOf(db, runId),
    approvalOf(db, runId),
    routeOf(db, runId),
    policyOf(db, run.policyVersion),
  ]);
  const feedback = dataset && (await feedbackOnDataset(db, dataset.id));
  return {
    runId,
    workflowId: run.workflowId,
    workload: run.workloadId,
    snapshot: snapshot && { id: snapshot.id, records: snapshot.records ?? 0, kind: snapshot.kind },
    dataset,
    ...(feedback && { feedback }),
    experiments,
    verdict: verdict && {
      outcome: verdict.outcome,
      ...(verdict.winnerCandidate && { winner: `${verdict.winnerCandidate}/${verdict.winnerStrategy}` }),
      reason: verdict.reason,
    },
    digest: verdict?.digest ?? null,
    ...(approval && { approval }),
    ...(route && { route }),
    status: run.status,
    stage: run.stage,
    ...(run.failure !== null && { failure: run.failure }),
    reason: run.reason,
    requestedBy: run.requestedBy,
    startedAt: toIso(run.startedAt),
    endedAt: toIsoOrNull(run.endedAt),
    responseSources: snapshot?.responseSources ?? {},
    synthetic: snapshot?.synthetic ?? false,
    toolsInferred: snapshot?.toolsInferred ?? false,
    threshold: verdict?.threshold ?? policy?.threshold ?? null,
    primaryMetric: verdict?.primaryMetric ?? null,
    policy,
  };
}

async function policyOf(db: Database, version: string | null): Promise<RunView['policy']> {
  if (version === null) return null;
  const found = await db.select().from(policies).where(eq(policies.version, version));
  return { version, ...one(found, `policy "${version}"`).content };
}

async function snapshotOf(db: Database, runId: string) {
  const rows = await db
    .select()
    .from(snapshots)
    .where(eq(snapshots.runId, runId))
    .orderBy(desc(snapshots.createdAt))
    .limit(1);
  return rows[0] ?? null;
}

async function datasetOf(db: Database, runId: string): Promise<RunView['dataset']> {
  const rows = await db
    .select()
    .from(datasets)
    .where(eq(datasets.runId, runId))
    .orderBy(desc(datasets.createdAt))
    .limit(1);
  const dataset = rows[0];
  return dataset ? toDatasetSummary(dataset) : null;
}

/** jsonb sorts keys by length; the splits are read in their own order. */
export function toDatasetSummary({ id, hash, splits, dropped }: typeof datasets.$inferSelect) {
  const { train, validation, eval: evaluation } = splits;
  return { id, hash, splits: { train, validation, eval: evaluation }, dropped };
}

async function verdictOf(db: Database, runId: string) {
  return (await db.select().from(verdicts).where(eq(verdicts.runId, runId)))[0] ?? null;
}

async function approvalOf(db: Database, runId: string): Promise<RunView['approval'] | null> {
  const rows = await db
    .select({ gate: approvalGates, decision: approvals })
    .from(approvalGates)
    .leftJoin(approvals, eq(approvals.runId, approvalGates.runId))
    .where(eq(approvalGates.runId, runId));
  const row = rows[0];
  if (!row) return null;
  const { gate, decision } = row;
  const at = decision?.decidedAt ?? gate.closedAt;
  return {
    status: gate.status,
    ...(decision && {
      outcome: decision.outcome,
      actor: decision.actor,
      actorSource: decision.actorSource,
      reason: decision.reason,
      override: decision.override,
    }),
    ...(at !== null && { at: toIso(at) }),
  };
}

/** The newest route that this run's winner had, and whether traffic still goes there. */
async function routeOf(db: Database, runId: string): Promise<RunView['route'] | null> {
  const rows = await db
    .select({ move: routeMoves, current: routes.version })
    .from(routeMoves)
    .innerJoin(routes, eq(routes.workloadId, routeMoves.workloadId))
    .where(eq(routeMoves.runId, runId))
    .orderBy(desc(routeMoves.version))
    .limit(1);
  const row = rows[0];
  if (!row?.move.serving) return null;
  const { move, current } = row;
  return {
    version: move.version,
    model: row.move.serving.model,
    since: toIso(move.movedAt),
    live: current === move.version,
  };
}
