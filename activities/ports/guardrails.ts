import type { GuardrailRules, GuardrailVerdict, Spoken } from '../../domain/guardrails/guardrails.ts';

export interface GuardrailRequest {
  readonly rules: GuardrailRules;
  /** Whether the text is held against the rules for questions or for answers. */
  readonly spoken: Spoken;
  readonly text: string;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/**
 * Checks words against rules. No answer is never "allowed": what cannot be checked throws `UnavailableError`, or
 * `RejectedError` where asking again would not help. Suite: `test/contracts/guardrails.contract.ts`.
 */
export interface Guardrails {
  check(request: GuardrailRequest): Promise<GuardrailVerdict>;
}

/** Who checks: a configured provider's own guardrails, or, for null, Flywheel itself. Throws `NotFoundError`. */
export type GuardrailsBy = (provider: string | null) => Guardrails;
