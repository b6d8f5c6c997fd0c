import { ConflictError, NotFoundError } from '../domain/errors.ts';
import type { ServingSpec } from '../domain/experiments/experiment.ts';
import type { RouteMove } from '../domain/routes/move.ts';
import type { Route } from '../domain/routes/route.ts';
import type { Deployers } from './ports/deployer.ts';
import type { Lineage } from './ports/lineage.ts';

export interface PlannedMove {
  /** What is to be served; null for the original. */
  readonly serving: ServingSpec | null;
  /** What serves now, to be put back should the move fail; null for the original. */
  readonly before: ServingSpec | null;
  /** A provider of either deploys its models on request. */
  readonly deploys?: true;
}

export interface MoveRoutePorts {
  readonly deployers: Deployers;
  readonly lineage: {
    readonly routes: Pick<Lineage['routes'], 'get' | 'move' | 'findMove'>;
    readonly decisions: Pick<Lineage['decisions'], 'getVerdict' | 'getDecision'>;
  };
}

/** The steps of a rollout that write. Each is idempotent by the move's id. */
export function createMoveRoute({ lineage, deployers }: MoveRoutePorts) {
  const { routes, decisions } = lineage;

  async function planMove(move: RouteMove): Promise<PlannedMove> {
    const route = await routes.get(move.workloadId);
    const before = route?.serving ?? null;
    const serving = move.kind === 'promotion' ? await approved(decisions, move) : previousOf(move, route);
    // What the route could have gone back to is given back by this move, too.
    const touched = [before, serving, route?.previous ?? null];
    const deploys = touched.some((one) => one !== null && deployers(one.provider) !== null);
    return { before, serving, ...(deploys && { deploys }) };
  }

  async function moveRoute(move: RouteMove & { serving: ServingSpec | null }): Promise<Route> {
    const { moveId, workloadId, serving, kind, actor, reason } = move;
    const promotion = kind === 'promotion';
    return routes.move({
      moveId,
      workloadId,
      serving,
      kind,
      actor,
      reason,
      digest: promotion ? (move.digest ?? null) : null,
      runId: promotion ? (move.runId ?? null) : null,
    });
  }

  /** Puts back what served before the move. A route that never moved, or moved on since, is left alone. */
  async function restoreRoute(input: {
    move: RouteMove;
    planned: PlannedMove;
    reason: string;
  }): Promise<{ route: Route | null }> {
    const { move, planned, reason } = input;
    const moved = await routes.findMove(move.moveId);
    if (!moved) return { route: await routes.get(move.workloadId) };
    const route = await routes.move({
      moveId: `${move.moveId}:restore`,
      workloadId: move.workloadId,
      serving: planned.before,
      kind: 'restore',
      digest: null,
      runId: null,
      actor: 'flywheel',
      reason,
      expectedVersion: moved.version,
    });
    return { route };
  }

  return { planMove, moveRoute, restoreRoute };
}

async function approved(
  decisions: MoveRoutePorts['lineage']['decisions'],
  move: RouteMove,
): Promise<ServingSpec> {
  if (!move.runId) throw new ConflictError('A promotion names the run whose approved winner it serves.');
  const { digest, serving } = await decisions.getVerdict(move.runId);
  if (digest !== move.digest) {
    throw new ConflictError(
      `Run ${move.runId} has evidence ${digest}, but ${move.digest ?? 'none'} was approved.`,
    );
  }
  // Whoever reaches Temporal could start a move by hand; what nobody approved is never served.
  const decision = await decisions.getDecision(move.runId);
  if (decision?.outcome !== 'approve' || decision.digest !== digest) {
    throw new ConflictError(
      `Run ${move.runId} was not approved: nothing is promoted without a person's yes.`,
    );
  }
  if (!serving) throw new ConflictError(`Run ${move.runId} has no winner to promote.`);
  return serving;
}

function previousOf({ workloadId }: RouteMove, route: Route | null): ServingSpec | null {
  if (!route) {
    throw new NotFoundError(
      `Workload "${workloadId}" has no route: nothing was ever promoted, so nothing can be rolled back.`,
    );
  }
  if (!route.serving && !route.previous) {
    throw new ConflictError(
      `Workload "${workloadId}" is on the original already, and nothing served it before.`,
    );
  }
  return route.previous;
}
