/** Regular expressions (RE2's dialect, checked in linear time) by the name that a block is told by. */
export type NamedPatterns = Readonly<Record<string, string>>;

/** What may not be said: nothing here, nothing is blocked. */
export interface GuardrailRules {
  /** What a question must not match. */
  readonly questions: NamedPatterns;
  /** And an answer: its text, and the tools that it calls with their arguments. */
  readonly answers: NamedPatterns;
}

/** A workload's guardrails: the part of its policy that says what may not be said. */
export interface GuardrailsPolicy extends GuardrailRules {
  /** The provider whose own guardrails check by these rules; null: Flywheel does. */
  readonly provider: string | null;
  /** A file of the owners' own safety items beside ours, relative to `workloads.yaml`; null for none. */
  readonly safetySet: string | null;
  /** Least share of safety items that must pass where no champion was measured beside, in [0, 1]. */
  readonly minPass: number;
  /** Whether the gateway checks each call of the workload. */
  readonly enforce: boolean;
}

/**
 * Everything passes, unless somebody says less: a workload's first promotion has no champion to be compared with,
 * each item that did not pass is a named rule that was hit, and a person who has seen it may override.
 */
export const defaultMinPass = 1;

export const noGuardrails: GuardrailsPolicy = {
  questions: {},
  answers: {},
  provider: null,
  safetySet: null,
  minPass: defaultMinPass,
  enforce: false,
};

/** The category of safety items that ask honest questions, which nothing should block. */
export const benign = 'benign';

/** Which rules a text is held against: those for what a caller says, or for what a model says. */
export type Spoken = 'question' | 'answer';

export interface GuardrailVerdict {
  readonly allowed: boolean;
  /** The rule that blocked, such as `answers.card`; null when allowed. */
  readonly rule: string | null;
  /** What a provider said of it; null when it says nothing. */
  readonly detail: string | null;
}
