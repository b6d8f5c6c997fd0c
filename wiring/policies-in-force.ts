import { statSync } from 'node:fs';
import type { Config } from '../config/config.ts';
import { loadPolicies } from '../config/policies.ts';
import { type Policies, policyOf, type WorkloadPolicy } from '../domain/policies/policy.ts';

/** A change of `workloads.yaml` works within a second; a `stat` a second costs nothing. */
const checkEveryMs = 1_000;

/** The policies as they stand now, for those who ask at each call and can wait for nothing. */
export interface PoliciesInForce {
  /** What `make` makes of a workload's policy, made once for as long as that holds. */
  derived<T>(make: (policy: WorkloadPolicy) => T): (workloadId: string) => T;
}

/**
 * Follows `workloads.yaml`. While it cannot be used, the policies that it had before hold on, and `onUnusable` is told
 * once. Throws `ConfigError` where there are none before.
 */
export function policiesInForce(
  { policiesFile }: Pick<Config, 'policiesFile'>,
  onUnusable: (error: unknown) => void,
): PoliciesInForce {
  let version = versionOf(policiesFile.path);
  let policies: Policies = loadPolicies(policiesFile);
  let checkedAtMs = performance.now();
  let told: string | null = null;

  function current(): Policies {
    if (performance.now() - checkedAtMs < checkEveryMs) return policies;
    checkedAtMs = performance.now();
    try {
      const now = versionOf(policiesFile.path);
      if (now === version) return policies;
      policies = loadPolicies(policiesFile);
      // Only now: what it needs beside the file, a safety set, may come later than the file.
      version = now;
      told = null;
    } catch (error) {
      if (told !== String(error)) onUnusable(error);
      told = String(error);
    }
    return policies;
  }

  return {
    derived<T>(make: (policy: WorkloadPolicy) => T) {
      // By policy, for any number of workloads have the default one.
      const made = new WeakMap<WorkloadPolicy, { readonly value: T }>();
      return (workloadId) => {
        const policy = policyOf(current(), workloadId);
        const { value } = made.get(policy) ?? { value: make(policy) };
        made.set(policy, { value });
        return value;
      };
    },
  };
}

/** Changes whenever the file does; a file that is not there has a version as well. */
function versionOf(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false });
  return found === undefined ? 'none' : `${found.ino}/${found.size}/${found.mtimeMs}`;
}
