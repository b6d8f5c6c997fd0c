import type { AdapterFiles } from '../activities/ports/adapter-files.ts';
import type { ProviderChecks, ProviderChecksBy } from '../activities/ports/provider-checks.ts';
import type { Config } from '../config/config.ts';
import { trainerOf } from '../domain/experiments/experiment.ts';
import { createChecks as createNemoChecks } from '../integrations/nemo-microservices/checks.ts';
import { createChecks as createPlatformChecks } from '../integrations/nemo-platform/checks.ts';
import { createChecks } from '../integrations/openai/checks.ts';
import { createChecks as createVllmChecks } from '../integrations/vllm/checks.ts';
import { byProvider, type Providers } from './by-provider.ts';
import { openAdapterFiles } from './open-adapter-files.ts';

/** What can be asked of each configured provider before a run needs it. */
export function openProviderChecks(config: Providers & Pick<Config, 'candidates'>): ProviderChecksBy {
  return byProvider(config, (name, provider) => {
    switch (provider.kind) {
      case 'openai':
        return createChecks({ name, ...provider });
      case 'vllm':
        return createVllmChecks({ name, ...provider }, trainersFor(config, name));
      case 'nemo-microservices':
        return byEvaluator(createNemoChecks({ name, ...provider }, provider.nims), provider.evaluator);
      case 'nemo-platform':
        return byEvaluator(createPlatformChecks({ name, ...provider }), provider.evaluator);
    }
  });
}

/** Its own evaluator need not be there where Flywheel asks and scores. */
function byEvaluator(checks: ProviderChecks, evaluator: 'flywheel' | 'nemo'): ProviderChecks {
  return evaluator === 'nemo' ? checks : { ...checks, evaluating: () => [] };
}

/** Whoever trains what this vLLM serves. */
function trainersFor(
  config: Providers & Pick<Config, 'candidates'>,
  vllm: string,
): Record<string, AdapterFiles> {
  const open = openAdapterFiles(config);
  const trainers = config.candidates
    .filter(({ provider, strategies }) => provider === vllm && strategies.includes('lora'))
    .map(trainerOf);
  return Object.fromEntries(trainers.map((name) => [name, open(name)]));
}
