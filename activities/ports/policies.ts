import type { Policies, WorkloadPolicy } from '../../domain/policies/policy.ts';

/** The policies as their owners have them now. Rejects with `ConfigError` while the file cannot be used. */
export interface PolicySource {
  /** The workload's own, or the default. */
  of(workloadId: string): Promise<WorkloadPolicy>;
  all(): Promise<Policies>;
}
