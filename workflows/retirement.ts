import { setCurrentDetails, sleep } from '@temporalio/workflow';
import { retiring } from './activity-options.ts';
import { retirementDetails } from './current-details.ts';
import type { RetirementInput, RetirementResult } from './messages.ts';

/** PostgreSQL's clock says when a time of grace ends, Temporal's when we wake: a moment later, they agree. */
const clockSkewMs = 1_000;

/**
 * What a rollout leaves behind: gives back what the route has left once its time of grace has ended. Until then a
 * rollback finds it deployed.
 *
 *     sleep → give back → is anything still kept? (moved again meanwhile) → sleep …
 */
export async function retirement(input: RetirementInput): Promise<RetirementResult> {
  const { workloadId, unreleased = false } = input;
  const removed: string[] = [];
  for (let keptForMs: number | undefined = input.keptForMs; keptForMs !== undefined; ) {
    setCurrentDetails(retirementDetails(workloadId, Date.now() + keptForMs, removed));
    await sleep(keptForMs + clockSkewMs, { summary: 'the time of grace' });
    const given = await retiring.releaseRouteModels.executeWithOptions(
      { summary: 'give retired deployments back' },
      // Whoever moves the route now releases for itself.
      [{ workloadId, onlyExpired: !unreleased }],
    );
    removed.push(...given.removed);
    keptForMs = given.keptForMs;
  }
  setCurrentDetails(retirementDetails(workloadId, null, removed));
  return { workloadId, removed };
}
