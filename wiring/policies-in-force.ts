import { statSync } from 'node:fs';
import type { Config } from '../config/config.ts';
import { loadPolicies } from '../config/policies.ts';
import { type Policies, policyOf, type WorkloadPolicy } from '../domain/policies/policy.ts';

/** A change of `workloads.yaml` works within a second; a `stat` a second costs nothing. */
const checkEveryMs = 1_000;
/** What is made of so many workloads' policies is kept: their names may be anybody's. */
const mostRemembered = 1_000;

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

  function current(): Policies {
    if (performance.now() - checkedAtMs < checkEveryMs) return policies;
    checkedAtMs = performance.now();
    const now = versionOf(policiesFile.path);
    if (now === version) return policies;
    version = now;
    try {
      policies = loadPolicies(policiesFile);
    } catch (error) {
      onUnusable(error);
    }
    return policies;
  }

  return {
    derived<T>(make: (policy: WorkloadPolicy) => T) {
      let madeOf: Policies | null = null;
      const made = new Map<string, T>();
      return (workloadId) => {
        const now = current();
        if (now !== madeOf || made.size >= mostRemembered) made.clear();
        madeOf = now;
        if (made.has(workloadId)) return made.get(workloadId) as T;
        const fresh = make(policyOf(now, workloadId));
        made.set(workloadId, fresh);
        return fresh;
      };
    },
  };
}

/** Changes whenever the file does; a file that is not there has a version as well. */
function versionOf(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false });
  return found === undefined ? 'none' : `${found.ino}/${found.size}/${found.mtimeMs}`;
}
