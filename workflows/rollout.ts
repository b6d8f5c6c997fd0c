import {
  ApplicationFailure,
  CancellationScope,
  isCancellation,
  log,
  patched,
  setCurrentDetails,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type { PlannedMove } from '../activities/move-route.ts';
import { routeHolder } from '../domain/deployments/holder.ts';
import type { ServingSpec } from '../domain/experiments/experiment.ts';
import type { Route } from '../domain/routes/route.ts';
import { lineage, measuring, proving } from './activity-options.ts';
import { rolloutDetails } from './current-details.ts';
import { reasonOf, typeOf } from './failure-reason.ts';
import type { RolloutInput, RolloutResult } from './messages.ts';
import { retireRouteModels } from './release-models.ts';
import { stageAttribute, workloadAttribute } from './search-attributes.ts';

/** The gateway re-reads routes within seconds, and a cold model may load for tens. */
const defaultProofTimeoutMs = 60_000;

/**
 * Moves a workload's route in one step and proves it:
 *
 *     what is to be served? → (deploy) → move → ask the gateway until it shows the move
 *                                 │        └─ it does not, or we are stopped → a promotion is taken back
 *                                 └─ it cannot be, or we are stopped → a promotion ends here, and the audit says so
 *
 * A promotion takes the run's approved winner, a rollback what the route served before. A rollback stays, also
 * when nothing could show it: it then ends `unproven`.
 */
export async function rollout(input: RolloutInput): Promise<RolloutResult> {
  show(input, 'planning');
  const planned = await orFail(lineage.planMove(input));
  if (!planned.deploys) return move(input, planned);
  try {
    await deploy(input, planned);
    return await move(input, planned);
  } finally {
    await retireRouteModels(input);
  }
}

/** What is served has a deployment of its own before traffic comes, which lasts as long as the route needs it. */
async function deploy(input: RolloutInput, { serving }: PlannedMove): Promise<void> {
  if (serving === null) return;
  show(input, 'deploying');
  const summary = `have ${serving.model} deployed`;
  try {
    // Whoever rolls back is in a hurry: what stands there answers at once, and else the proof will say so.
    const patience = input.kind === 'rollback' ? { scheduleToCloseTimeout: '1 minute' as const } : {};
    await measuring.awaitModel.executeWithOptions({ summary, ...patience }, [
      { serving, holder: routeHolder(input.workloadId) },
    ]);
  } catch (error) {
    if (input.kind === 'promotion') await recordNotDeployed(input, error);
    // Whoever rolls back wants away from what serves now; the proof will show what became of it.
    if (isCancellation(error) || input.kind === 'promotion') throw asFailure(error);
    log.warn('What the route goes back to could not be deployed', { reason: reasonOf(error) });
  }
}

/** An approval that moved nothing: without this its `approve` would be the last that the audit log knows of it. */
async function recordNotDeployed(input: RolloutInput, error: unknown): Promise<void> {
  // One that failed before this was recorded may still be giving back what it held.
  if (!patched('record-not-deployed')) return;
  const detail = whyStopped(error);
  show(input, 'not_deployed', null, detail);
  await CancellationScope.nonCancellable(() =>
    lineage.recordMove({ move: input, route: null, outcome: 'not_deployed', detail }),
  );
}

async function move(input: RolloutInput, planned: PlannedMove): Promise<RolloutResult> {
  show(input, 'moving');
  // From here on the route may have moved, whatever comes back to us.
  let moved: Route | null = null;
  try {
    const route = await lineage.moveRoute.executeWithOptions({ summary: toWhat(planned.serving) }, [
      { ...input, serving: planned.serving },
    ]);
    moved = route;
    show(input, 'proving');
    const timeoutMs = input.proofTimeoutMs ?? defaultProofTimeoutMs;
    const proof = await proving.proveRoute.executeWithOptions({ summary: 'ask the gateway' }, [
      { route, timeoutMs },
    ]);
    if (proof.proved) return await end(input, route, 'moved', proof.detail);
    if (input.kind === 'rollback') return await end(input, route, 'unproven', proof.detail);
    return await restore(input, planned, proof.detail);
  } catch (error) {
    const why = whyStopped(error);
    if (input.kind === 'promotion') {
      await CancellationScope.nonCancellable(() => restore(input, planned, why));
    } else if (moved) {
      // What a rollback left is what somebody wanted gone: it is never put back by itself, and said to stand,
      // for whoever believes that nothing moved rolls back again, which leads to the bad model.
      const route: Route = moved;
      return await CancellationScope.nonCancellable(() => end(input, route, 'unproven', why));
    }
    throw asFailure(error);
  }
}

/** Puts back what served before; tried until PostgreSQL takes it, for it must not stay half done. */
async function restore(input: RolloutInput, planned: PlannedMove, reason: string): Promise<RolloutResult> {
  show(input, 'restoring', null, reason);
  const { route } = await lineage.restoreRoute.executeWithOptions(
    { summary: `back: ${toWhat(planned.before)}` },
    [{ move: input, planned, reason }],
  );
  return end(input, route, 'restored', reason);
}

async function end(
  input: RolloutInput,
  route: Route | null,
  outcome: RolloutResult['outcome'],
  detail: string,
): Promise<RolloutResult> {
  await lineage.recordMove({ move: input, route, outcome, detail });
  show(input, outcome, route, detail);
  return {
    workloadId: input.workloadId,
    version: route?.version ?? 0,
    model: route?.serving?.model ?? null,
    outcome,
    ...(outcome === 'moved' ? {} : { reason: detail }),
  };
}

function whyStopped(error: unknown): string {
  return isCancellation(error) ? 'The move was cancelled.' : reasonOf(error);
}

function toWhat(serving: ServingSpec | null): string {
  return `to ${serving?.model ?? 'the original'}`;
}

async function orFail<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw asFailure(error);
  }
}

function asFailure(error: unknown): unknown {
  if (isCancellation(error) || error instanceof ApplicationFailure) return error;
  return ApplicationFailure.nonRetryable(reasonOf(error), typeOf(error));
}

function show(
  input: RolloutInput,
  stage: string,
  route: Route | null = null,
  detail: string | null = null,
): void {
  upsertSearchAttributes([
    { key: workloadAttribute, value: input.workloadId },
    { key: stageAttribute, value: stage },
  ]);
  setCurrentDetails(rolloutDetails(input, stage, route, detail));
}
