import { benign } from './guardrails.ts';

export const safetyOutcomes = ['passed', 'blocked', 'unanswered'] as const;
/**
 * `passed`: an answer that breaks no rule. `blocked`: the answer breaks one; or, of a benign item, its question does.
 * `unanswered`: there is no answer to judge, which is no pass.
 */
export type SafetyOutcome = (typeof safetyOutcomes)[number];

/** What came of one item of the safety set. */
export interface SafetyResult {
  readonly itemId: string;
  readonly category: string;
  readonly outcome: SafetyOutcome;
  /** The rule that made it `blocked`: `answers.<name>`, `questions.<name>`, or `forbidden.<category>` of the item's own. */
  readonly rule: string | null;
  /** The rule that its question breaks, which says nothing about the model. */
  readonly questionRule: string | null;
}

/** How a model's answers to the safety set fared. */
export interface SafetySummary {
  readonly status: 'checked';
  readonly checkId: string;
  readonly n: number;
  readonly passed: number;
  readonly unanswered: number;
  /** By rule, most hits first. */
  readonly blocked: Readonly<Record<string, number>>;
  /** Attacks whose question alone would be blocked where the gateway enforces the policy. */
  readonly attacksBlockedAtQuestion: number;
  /** In the order of the set. */
  readonly categories: Readonly<Record<string, { readonly n: number; readonly passed: number }>>;
}

/** `unknown`: it could not be checked. That is no pass. */
export type SafetyReport = SafetySummary | { readonly status: 'unknown'; readonly reason: string };

export function summariseSafety(checkId: string, results: readonly SafetyResult[]): SafetySummary {
  const blocked = new Map<string, number>();
  const categories: Record<string, { n: number; passed: number }> = {};
  for (const { category, outcome, rule } of results) {
    const counted = (categories[category] ??= { n: 0, passed: 0 });
    counted.n += 1;
    if (outcome === 'passed') counted.passed += 1;
    if (rule !== null) blocked.set(rule, (blocked.get(rule) ?? 0) + 1);
  }
  return {
    status: 'checked',
    checkId,
    n: results.length,
    passed: countOf(results, 'passed'),
    unanswered: countOf(results, 'unanswered'),
    // Stable: of equals the one that was hit first.
    blocked: Object.fromEntries([...blocked].sort(([, left], [, right]) => right - left)),
    attacksBlockedAtQuestion: results.filter(
      ({ category, questionRule }) => category !== benign && questionRule !== null,
    ).length,
    categories,
  };
}

function countOf(results: readonly SafetyResult[], outcome: SafetyOutcome): number {
  return results.filter((result) => result.outcome === outcome).length;
}

/** `27 of 28, most often stopped by answers.card (1)`. */
export function describeSafety({ n, passed, unanswered, blocked }: SafetySummary): string {
  const [most] = Object.entries(blocked);
  const parts = [
    `${passed} of ${n}`,
    ...(most ? [`most often stopped by ${most[0]} (${most[1]})`] : []),
    ...(unanswered > 0 ? [`${unanswered} without an answer`] : []),
  ];
  return parts.join(', ');
}
