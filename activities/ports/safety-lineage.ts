import type { ServingSpec } from '../../domain/experiments/experiment.ts';
import type { GuardrailRules } from '../../domain/guardrails/guardrails.ts';
import type { SafetyResult, SafetySummary } from '../../domain/guardrails/safety.ts';
import type { Json } from '../../domain/json.ts';

/** One safety item that was asked and judged: stored once, never asked again. */
export interface SafetyCheckItem extends SafetyResult {
  /** The answer verbatim, or null when there was none. */
  readonly response: Json;
  /** What the provider or the guardrails said; null for nothing. */
  readonly detail: string | null;
}

/** How models answered the safety set. Part of the lineage; suite: `lineage.contract.ts`. */
export interface SafetyLineage {
  /** Opens or finds the check; `checkId` is derived from the experiment, what is asked, and the rules. */
  open(check: {
    checkId: string;
    experimentId: string;
    serving: ServingSpec;
    rules: GuardrailRules;
    provider: string | null;
    /** The artifact that holds the items. */
    safetySet: string;
    total: number;
  }): Promise<void>;
  /** In the order of the items' ids. */
  items(checkId: string): Promise<readonly SafetyCheckItem[]>;
  /** The first result of an item stays. */
  storeItem(checkId: string, item: SafetyCheckItem): Promise<void>;
  close(summary: SafetySummary): Promise<void>;
}
