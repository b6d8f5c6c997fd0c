import { and, asc, desc, eq } from 'drizzle-orm';
import type { RouteLineage } from '../../activities/ports/route-lineage.ts';
import { ConflictError } from '../../domain/errors.ts';
import type { ServingSpec } from '../../domain/experiments/experiment.ts';
import type { Route } from '../../domain/routes/route.ts';
import type { Database, Queries } from '../connect.ts';
import { one, toIso } from '../rows.ts';
import { routeMoves, routes } from '../schema/decisions.ts';
import { workloads } from '../schema/runs.ts';
import { traceRoute } from './trace.ts';
import { ensureWorkload } from './workloads.ts';

type Move = Parameters<RouteLineage['move']>[0];

export function createRouteLineage(db: Database): RouteLineage {
  return {
    get: (workloadId) => currentRoute(db, workloadId),
    async all() {
      return (await db.select().from(routes).orderBy(asc(routes.workloadId))).map(toRoute);
    },
    move: (move) => db.transaction((tx) => moveRoute(tx, move)),
    findMove: (moveId) => findMove(db, moveId),
    trace: (workloadId) => traceRoute(db, workloadId),
  };
}

async function currentRoute(db: Queries, workloadId: string): Promise<Route | null> {
  const row = (await db.select().from(routes).where(eq(routes.workloadId, workloadId)))[0];
  return row ? toRoute(row) : null;
}

function toRoute({ since, ...route }: typeof routes.$inferSelect): Route {
  return { ...route, since: toIso(since) };
}

async function findMove(db: Queries, moveId: string): Promise<Route | null> {
  const row = (await db.select().from(routeMoves).where(eq(routeMoves.id, moveId)))[0];
  if (!row) return null;
  const { workloadId, version, serving, previous, digest, runId, movedAt } = row;
  return { workloadId, version, serving, previous, digest, runId, since: toIso(movedAt) };
}

async function moveRoute(tx: Queries, move: Move): Promise<Route> {
  const { moveId, workloadId, serving, kind, actor, reason } = move;
  await ensureWorkload(tx, workloadId);
  // The workload's row is the lock: a first move has no route row to lock yet.
  await tx.select().from(workloads).where(eq(workloads.id, workloadId)).for('update');
  const made = await findMove(tx, moveId);
  if (made) return made;

  const current = await currentRoute(tx, workloadId);
  checkVersion(move, current);
  const version = (current?.version ?? 0) + 1;
  const previous = await previousAfter(tx, move, current);
  const { digest, runId } = await evidenceOf(tx, move);
  const route = { workloadId, version, serving, previous, digest, runId };
  const moved = await tx
    .insert(routeMoves)
    .values({ id: moveId, ...route, kind, actor, reason })
    .returning({ since: routeMoves.movedAt });
  const row = { ...route, since: one(moved, `move "${moveId}"`).since };
  await tx.insert(routes).values(row).onConflictDoUpdate({ target: routes.workloadId, set: row });
  return toRoute(row);
}

/** Going back to a model that was promoted before goes back to its evidence too. */
async function evidenceOf(tx: Queries, move: Move): Promise<Pick<Route, 'digest' | 'runId'>> {
  const { digest, runId, workloadId, serving } = move;
  if (runId !== null || serving === null) return { digest, runId };
  const rows = await tx
    .select({ digest: routeMoves.digest, runId: routeMoves.runId })
    .from(routeMoves)
    .where(
      and(
        eq(routeMoves.workloadId, workloadId),
        eq(routeMoves.kind, 'promotion'),
        eq(routeMoves.serving, serving),
      ),
    )
    .orderBy(desc(routeMoves.version))
    .limit(1);
  return rows[0] ?? { digest, runId };
}

function checkVersion(move: Move, current: Route | null): void {
  const version = current?.version ?? 0;
  if (move.expectedVersion === undefined || move.expectedVersion === version) return;
  throw new ConflictError(
    `The route of "${move.workloadId}" is at version ${version}, not at ${move.expectedVersion}: ` +
      'it moved meanwhile. Look at it again (flywheel route) before moving it.',
  );
}

/**
 * What a later rollback restores. A `restore` undoes a move that was not proven, so it brings back what
 * stood behind the route before that move: the unproven model must never be rolled back to.
 */
async function previousAfter(tx: Queries, move: Move, current: Route | null): Promise<ServingSpec | null> {
  if (move.kind !== 'restore') return current?.serving ?? null;
  const before = await tx
    .select({ previous: routeMoves.previous })
    .from(routeMoves)
    .where(
      and(eq(routeMoves.workloadId, move.workloadId), eq(routeMoves.version, (current?.version ?? 0) - 1)),
    );
  return before[0]?.previous ?? null;
}
