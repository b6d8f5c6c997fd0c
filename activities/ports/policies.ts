import type { WorkloadPolicy } from '../../domain/policies/policy.ts';

/** The policies as their owners have them now. */
export interface PolicySource {
  /** The workload's own, or the default. Rejects with `ConfigError` while the file cannot be used. */
  of(workloadId: string): Promise<WorkloadPolicy>;
}
