import type { PolicySource } from '../activities/ports/policies.ts';
import type { Config } from '../config/config.ts';
import { readEntry, writeEntry } from '../config/edit-policies.ts';
import { mergePolicy } from '../config/merge-policy.ts';
import { loadPolicies, policyProblems } from '../config/policies.ts';
import type { PolicyEntry } from '../config/policies-schema.ts';
import type { WorkloadPolicy } from '../domain/policies/policy.ts';
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

/** `workloads.yaml` to read and to change, an entry at a time. All reject with `ConfigError` while the file cannot be used. */
export interface PolicyEditor {
  /** `entry`: what the file says of this workload, in its own words; null where it says nothing. */
  read(workloadId: string): Promise<{ readonly entry: PolicyEntry | null; readonly policy: WorkloadPolicy }>;
  /** The policy that the entry would make, and what it names that there is not. */
  check(
    entry: PolicyEntry,
  ): Promise<{ readonly policy: WorkloadPolicy; readonly problems: readonly string[] }>;
  write(workloadId: string, entry: PolicyEntry): Promise<void>;
}

export function openPolicyEditor({ policiesFile }: Pick<Config, 'policiesFile'>): PolicyEditor {
  return {
    read: async (workloadId) => ({
      policy: policyOf(loadPolicies(policiesFile), workloadId),
      entry: await readEntry(policiesFile, workloadId),
    }),
    async check(entry) {
      const policy = mergePolicy(loadPolicies(policiesFile).default, entry);
      const at = (path: readonly PropertyKey[]) => `${path.map(String).join('.')}:`;
      return { policy, problems: policyProblems(entry, policy, policiesFile, at) };
    },
    write: (workloadId, entry) => writeEntry(policiesFile, workloadId, entry),
  };
}
