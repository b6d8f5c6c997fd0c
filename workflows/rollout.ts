import {
  ApplicationFailure,
  CancellationScope,
  isCancellation,
  setCurrentDetails,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type { PlannedMove } from '../activities/move-route.ts';
import type { Route } from '../domain/routes/route.ts';
import { lineage, proving } from './activity-options.ts';
import { rolloutDetails } from './current-details.ts';
import { reasonOf, typeOf } from './failure-reason.ts';
import type { RolloutInput, RolloutResult } from './messages.ts';
import { stageAttribute, workloadAttribute } from './search-attributes.ts';

/** The gateway re-reads routes within seconds, and a cold model may load for tens. */
const defaultProofTimeoutMs = 60_000;

/**
 * Moves a workload's route in one step and proves it:
 *
 *     what is to be served? → move → ask the gateway until it shows the move
 *                               └─ it does not, or we are stopped → restore what served before
 *
 * A promotion takes the run's approved winner, a rollback what the route served before.
 */
export async function rollout(input: RolloutInput): Promise<RolloutResult> {
  show(input, 'planning');
  const planned = await orFail(lineage.planMove(input));
  show(input, 'moving');
  // From here on the route may have moved, whatever comes back to us.
  try {
    const route = await lineage.moveRoute({ ...input, serving: planned.serving });
    show(input, 'proving');
    const proof = await proving.proveRoute({
      route,
      timeoutMs: input.proofTimeoutMs ?? defaultProofTimeoutMs,
    });
    if (!proof.proved) return await restore(input, planned, proof.detail);
    await lineage.recordMove({ move: input, route, outcome: 'moved', detail: proof.detail });
    show(input, 'moved', route, proof.detail);
    return {
      workloadId: input.workloadId,
      version: route.version,
      model: route.serving?.model ?? null,
      outcome: 'moved',
    };
  } catch (error) {
    const why = isCancellation(error) ? 'The move was cancelled.' : reasonOf(error);
    await CancellationScope.nonCancellable(() => restore(input, planned, why));
    throw asFailure(error);
  }
}

/** Puts back what served before; tried until PostgreSQL takes it, for it must not stay half done. */
async function restore(input: RolloutInput, planned: PlannedMove, reason: string): Promise<RolloutResult> {
  show(input, 'restoring', null, reason);
  const { route } = await lineage.restoreRoute({ move: input, planned, reason });
  await lineage.recordMove({ move: input, route, outcome: 'restored', detail: reason });
  show(input, 'restored', route, reason);
  const { workloadId } = input;
  const [version, model] = [route?.version ?? 0, route?.serving?.model ?? null];
  return { workloadId, version, model, outcome: 'restored', reason };
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
