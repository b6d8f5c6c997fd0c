import { RE2JS } from 're2js';
import type { GuardrailRules, GuardrailVerdict, Spoken } from './guardrails.ts';

/** Longer than any rule that a person can read. */
export const longestPattern = 1_000;
/** For questions, and for answers. The gateway reads a text once for each. */
export const mostPatterns = 100;

/** Rules, ready to be matched. Matching takes time in proportion to the text, whatever pattern and text are. */
export type CompiledRules = Readonly<
  Record<Spoken, readonly { readonly rule: string; readonly pattern: RE2JS }[]>
>;

/** What keeps a pattern from being used, or null. */
export function patternProblem(pattern: string): string | null {
  if (pattern.length > longestPattern) return `is longer than ${longestPattern} characters`;
  try {
    RE2JS.compile(pattern);
    return null;
  } catch (error) {
    return `is not a regular expression of RE2: ${error instanceof Error ? error.message : String(error)}`;
  }
}

export function compileRules({ questions, answers }: GuardrailRules): CompiledRules {
  const compile = (kind: 'questions' | 'answers', patterns: GuardrailRules['questions']) =>
    Object.entries(patterns).map(([name, pattern]) => ({
      rule: `${kind}.${name}`,
      pattern: RE2JS.compile(pattern),
    }));
  return { question: compile('questions', questions), answer: compile('answers', answers) };
}

/** The first rule that the text breaks, in the order of the policy; null for none. */
export function brokenRule(rules: CompiledRules, spoken: Spoken, text: string): string | null {
  return rules[spoken].find(({ pattern }) => pattern.test(text))?.rule ?? null;
}

export function verdictOf(rule: string | null, detail: string | null = null): GuardrailVerdict {
  return { allowed: rule === null, rule, detail };
}

export function matchesAny(patterns: readonly string[], text: string): boolean {
  return patterns.some((pattern) => RE2JS.compile(pattern).test(text));
}
