import type { Deployers } from '../activities/ports/deployer.ts';
import type { Config } from '../config/config.ts';
import { trainerOf } from '../domain/experiments/experiment.ts';
import { createDeployer as createNimDeployer } from '../integrations/nemo-microservices/deployer.ts';
import { createDeployer as createPlatformDeployer } from '../integrations/nemo-platform/deployer.ts';
import {
  type AdapterFolder,
  type AdapterFolderSettings,
  createAdapterFolder,
} from '../integrations/vllm/adapter-folder.ts';
import { createDeployer as createVllmDeployer } from '../integrations/vllm/deployer.ts';
import { byProvider, type Providers } from './by-provider.ts';
import { openAdapterFiles } from './open-adapter-files.ts';

/** The configured providers that deploy models on request. */
export function openDeployers(config: Providers & Pick<Config, 'candidates'>): Deployers {
  return byProvider(config, (name, provider) => {
    switch (provider.kind) {
      case 'nemo-microservices':
        return createNimDeployer({ name, ...provider }, provider.nims);
      case 'nemo-platform':
        return createPlatformDeployer({ name, ...provider });
      case 'vllm':
        return createVllmDeployer({ name, ...provider }, adapterFolder(config, name, provider.adapters));
      case 'openai':
        return null;
    }
  });
}

/** Filled from whoever trains the candidates that this vLLM serves. */
function adapterFolder(
  config: Providers & Pick<Config, 'candidates'>,
  name: string,
  adapters: AdapterFolderSettings | null,
): AdapterFolder | null {
  if (adapters === null) return null;
  const open = openAdapterFiles(config);
  const trainers = config.candidates.filter(({ provider }) => provider === name).map(trainerOf);
  return createAdapterFolder(adapters, [...new Set(trainers)].filter((one) => one !== name).map(open));
}
