import type { PolicySource } from '../../activities/ports/policies.ts';
import { defaultPolicy, type WorkloadPolicy } from '../../domain/policies/policy.ts';

export function aPolicy(fields: Partial<WorkloadPolicy> = {}): WorkloadPolicy {
  return { ...defaultPolicy, ...fields };
}

/** One policy for every workload, or the workloads' own. */
export function policiesOf(
  policy: WorkloadPolicy,
  workloads: Readonly<Record<string, WorkloadPolicy>> = {},
): PolicySource {
  const all = { default: policy, workloads };
  return { of: async (workloadId) => workloads[workloadId] ?? policy, all: async () => all };
}

/** A file that cannot be used. */
export function brokenPolicies(error: Error): PolicySource {
  const fail = async () => {
    throw error;
  };
  return { of: fail, all: fail };
}
