import type { ArtifactRef } from '../domain/datasets/dataset.ts';
import type { GuardrailRules, GuardrailsPolicy } from '../domain/guardrails/guardrails.ts';
import type { ArtifactStore } from './ports/artifact-store.ts';
import type { SafetySets } from './ports/safety-sets.ts';

/** A run's guardrails, as they were when it began: the rules, who checks, and exactly what is asked. */
export interface PinnedGuardrails {
  readonly rules: GuardrailRules;
  readonly provider: string | null;
  readonly minPass: number;
  readonly safetySet: ArtifactRef;
}

export interface PinGuardrailsPorts {
  readonly artifacts: Pick<ArtifactStore, 'putLines'>;
  readonly safetySets: SafetySets;
}

/** Null where the policy has none. */
export async function pinGuardrails(
  { artifacts, safetySets }: PinGuardrailsPorts,
  policy: GuardrailsPolicy | null,
): Promise<PinnedGuardrails | null> {
  if (policy === null) return null;
  const { questions, answers, provider, minPass, safetySet } = policy;
  const items = await safetySets.load(safetySet);
  return {
    rules: { questions, answers },
    provider,
    minPass,
    safetySet: await artifacts.putLines(items.map((item) => JSON.stringify(item))),
  };
}
