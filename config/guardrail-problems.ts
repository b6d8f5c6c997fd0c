import type { GuardrailsPolicy } from '../domain/guardrails/guardrails.ts';
import { pythonProblem } from '../domain/guardrails/python-pattern.ts';
import type { PoliciesFile } from './policies.ts';
import { loadSafetySet } from './safety-set.ts';

type At = (path: readonly PropertyKey[]) => string;

/** What keeps a policy's guardrails from being used: their provider, its dialect, their safety set. */
export function guardrailProblems(
  { provider, safetySet, questions, answers }: GuardrailsPolicy,
  { path, guardrailProviders }: Pick<PoliciesFile, 'path' | 'guardrailProviders'>,
  at: At,
): string[] {
  const problems: string[] = [];
  if (provider !== null && !guardrailProviders.includes(provider)) {
    const known = guardrailProviders.join(', ') || 'none';
    problems.push(
      `${at(['guardrails', 'provider'])} "${provider}" is no provider of kind nemo-platform in candidates.yaml (there: ${known}); leave it out to have Flywheel check`,
    );
  }
  if (provider !== null) {
    for (const [kind, patterns] of Object.entries({ questions, answers }))
      for (const [name, pattern] of Object.entries(patterns)) {
        const problem = pythonProblem(pattern);
        if (problem !== null) problems.push(`${at(['guardrails', kind, name])} ${problem}`);
      }
  }
  if (safetySet !== null) {
    const where = at(['guardrails', 'safety_set']);
    problems.push(...loadSafetySet(path, safetySet).problems.map((problem) => `${where} ${problem}`));
  }
  return problems;
}
