import type { Evaluators } from '../activities/ports/evaluator.ts';
import { createEvaluator as createNemoEvaluator } from '../integrations/nemo-microservices/evaluator.ts';
import { createEvaluator as createPlatformEvaluator } from '../integrations/nemo-platform/evaluator.ts';
import { byProvider, type Providers } from './by-provider.ts';

/** The configured providers whose own service asks and scores. */
export function openEvaluators(config: Providers): Evaluators {
  return byProvider(config, (name, provider) => {
    if (provider.kind === 'openai' || provider.kind === 'vllm' || provider.evaluator === 'flywheel')
      return null;
    return provider.kind === 'nemo-platform'
      ? createPlatformEvaluator({ name, ...provider })
      : createNemoEvaluator({ name, ...provider });
  });
}
