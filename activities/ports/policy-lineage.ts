import type { WorkloadPolicy } from '../../domain/policies/policy.ts';

/** One version of a policy that runs of a workload were made by. */
export interface PolicyUse {
  readonly version: string;
  readonly runs: number;
  readonly firstUsed: string;
  readonly lastUsed: string;
}

export interface PolicyLineage {
  /** Stores the policy once, under its version (`policyVersion`). */
  record(version: string, policy: WorkloadPolicy): Promise<void>;
  get(version: string): Promise<WorkloadPolicy>;
  /** The versions that runs of the workload pinned, last used first. */
  uses(workloadId: string): Promise<readonly PolicyUse[]>;
}
