import type { Evaluators } from '../activities/ports/evaluator.ts';
import type { JudgeServices } from '../activities/ports/judge-jobs.ts';
import { createEvaluator as createNemoEvaluator } from '../integrations/nemo-microservices/evaluator.ts';
import { createEvaluator as createPlatformEvaluator } from '../integrations/nemo-platform/evaluator.ts';
import { createJudgeJobs } from '../integrations/nemo-platform/judge.ts';
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

/**
 * The configured providers whose own service judges. Microservices v1 takes the key of a judge elsewhere by value
 * only, and how a stored file is scored without asking a model is not documented: there Flywheel asks the judge.
 */
export function openJudgeServices(config: Providers): JudgeServices {
  return byProvider(config, (name, provider) =>
    provider.kind === 'nemo-platform' && provider.evaluator === 'nemo'
      ? createJudgeJobs({ name, ...provider })
      : null,
  );
}
