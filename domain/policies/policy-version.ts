import { canonicalJson, sha256 } from '../hash.ts';
import type { WorkloadPolicy } from './policy.ts';

/** Hex sha256 of the policy's canonical JSON: equal policies are one version, whoever wrote them. Not for workflows. */
export function policyVersion(policy: WorkloadPolicy): string {
  return sha256(canonicalJson(policy));
}
