import type { Guardrails, GuardrailsBy } from '../activities/ports/guardrails.ts';
import { NotFoundError } from '../domain/errors.ts';
import type { GuardrailRules } from '../domain/guardrails/guardrails.ts';
import { brokenRule, type CompiledRules, compileRules, verdictOf } from '../domain/guardrails/rules.ts';
import { createGuardrails } from '../integrations/nemo-platform/guardrails.ts';
import { byProvider, type Providers } from './by-provider.ts';

/** Flywheel's own check, by pattern, and the NeMo Guardrails of the configured platforms. */
export function openGuardrails(config: Providers): GuardrailsBy {
  const own = ruleGuardrails();
  const others = byProvider(config, (name, provider) => {
    if (provider.kind === 'nemo-platform') return createGuardrails({ name, ...provider });
    throw new NotFoundError(`Provider "${name}" has no guardrails; a provider of kind nemo-platform has.`);
  });
  return (provider) => (provider === null ? own : others(provider));
}

export function ruleGuardrails(): Guardrails {
  // A policy's rules are one object for as long as it holds.
  const compiled = new WeakMap<GuardrailRules, CompiledRules>();
  return {
    async check({ rules, spoken, text, signal }) {
      signal?.throwIfAborted();
      const ready = compiled.get(rules) ?? compileRules(rules);
      compiled.set(rules, ready);
      return verdictOf(brokenRule(ready, spoken, text));
    },
  };
}
