import type { GuardrailsBy } from '../activities/ports/guardrails.ts';
import type { GuardrailVerdict, Spoken } from '../domain/guardrails/guardrails.ts';
import type { PoliciesInForce } from './policies-in-force.ts';

/** Holds one text of a call against its workload's guardrails. Throws where that cannot be told. */
export type CheckSaid = (spoken: Spoken, text: string, signal: AbortSignal) => Promise<GuardrailVerdict>;

/** Whoever waits for an answer waits for this too, twice a call: attempts included. */
const checkTimeoutMs = 10_000;

/** By workload, as its policy stands now: how the gateway checks its calls; null where it does not. */
export function openEnforcement(
  policies: PoliciesInForce,
  guardrails: GuardrailsBy,
): (workloadId: string) => CheckSaid | null {
  return policies.derived(({ guardrails: policy }): CheckSaid | null => {
    if (!policy?.enforce) return null;
    const { provider, questions, answers } = policy;
    const rules = { questions, answers };
    // The provider is looked up at each call: that it is not there blocks calls, and ends no gateway.
    return async (spoken, text, gone) => {
      const signal = AbortSignal.any([gone, AbortSignal.timeout(checkTimeoutMs)]);
      return guardrails(provider).check({ rules, spoken, text, timeoutMs: checkTimeoutMs, signal });
    };
  });
}
