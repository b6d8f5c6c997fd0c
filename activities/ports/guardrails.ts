import type { JsonObject } from '../../domain/json.ts';

/** What a policy is asked about: a conversation up to the user's words, or with the answer that followed. */
export interface GuardrailRequest {
  /** The policy: a configuration's name at the provider. */
  readonly policy: string;
  /** OpenAI's messages. The last one is judged: the user's as input, the assistant's as output. */
  readonly messages: readonly JsonObject[];
  /** Asked by rules that need a model; others need none. */
  readonly model?: string;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface GuardrailVerdict {
  readonly allowed: boolean;
  /** The rule that blocked, by its name in the policy; null when allowed. */
  readonly rule: string | null;
  /** What the provider said of it, such as how each rule fared; null when it says nothing. */
  readonly detail: string | null;
}

/** What a policy consists of. Rules without a model: patterns. */
export interface GuardrailPolicy {
  readonly name: string;
  /** Regular expressions (Python's dialect) that a question must not match. */
  readonly inputPatterns: readonly string[];
  /** And an answer. */
  readonly outputPatterns: readonly string[];
}

/** Checks words against a safety policy. Errors: `UnavailableError`, `RejectedError` (`policy_not_found`). */
export interface Guardrails {
  check(request: GuardrailRequest): Promise<GuardrailVerdict>;
  /** Makes the policy, or makes it what it is given as. */
  ensurePolicy(policy: GuardrailPolicy): Promise<void>;
}
