import type { SafetyItem } from '../../domain/guardrails/safety-set.ts';

/** The questions that guardrails are tried with, as they stand now. */
export interface SafetySets {
  /**
   * The project's own items, and behind them those of a workload's file (`safety_set` of its policy; null for none).
   * Rejects with `ConfigError` where the file cannot be used.
   */
  load(name: string | null): Promise<readonly SafetyItem[]>;
}
