import type { PolicySource } from '../activities/ports/policies.ts';
import type { Config } from '../config/config.ts';
import { loadPolicies } from '../config/policies.ts';
import { policyOf } from '../domain/policies/policy.ts';

/**
 * `workloads.yaml` as it stands at each question, so that a change takes no restart. It is asked a few times
 * per run, and read each time: nothing to grow stale.
 */
export function openPolicies({ policiesFile }: Pick<Config, 'policiesFile'>): PolicySource {
  return {
    of: async (workloadId) => policyOf(loadPolicies(policiesFile), workloadId),
    all: async () => loadPolicies(policiesFile),
  };
}
