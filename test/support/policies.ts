import { defaultPolicy, type WorkloadPolicy } from '../../domain/policies/policy.ts';

export function aPolicy(fields: Partial<WorkloadPolicy> = {}): WorkloadPolicy {
  return { ...defaultPolicy, ...fields };
}
