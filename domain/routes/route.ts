import type { ServingSpec } from '../experiments/experiment.ts';

/** Where a workload's traffic goes now. */
export interface Route {
  readonly workloadId: string;
  /** Rises by one with every move; the gateway reports it in `x-flywheel-route`. */
  readonly version: number;
  /** null: the workload's traffic goes to the original (the configured upstream). */
  readonly serving: ServingSpec | null;
  /** What `rollback` restores; null for the original. */
  readonly previous: ServingSpec | null;
  /** Digest of the approved evidence; null for a route that no approval made. */
  readonly digest: string | null;
  readonly runId: string | null;
  /** RFC 3339, UTC. */
  readonly since: string;
}
