import type { Evaluators } from '../activities/ports/evaluator.ts';
import type { Config } from '../config/config.ts';

/** The configured providers whose own service asks and scores. */
export function openEvaluators(_config: Pick<Config, 'providers'>): Evaluators {
  return () => null;
}
