import type { Deployers } from '../activities/ports/deployer.ts';
import type { Config } from '../config/config.ts';
import { createDeployer as createNimDeployer } from '../integrations/nemo-microservices/deployer.ts';
import { createDeployer as createPlatformDeployer } from '../integrations/nemo-platform/deployer.ts';
import { byProvider } from './by-provider.ts';

/** The configured providers that deploy models on request. */
export function openDeployers(config: Pick<Config, 'providers'>): Deployers {
  return byProvider(config, (name, provider) => {
    switch (provider.kind) {
      case 'nemo-microservices':
        return createNimDeployer({ name, ...provider }, provider.nims);
      case 'nemo-platform':
        return createPlatformDeployer({ name, ...provider });
      case 'openai':
      case 'vllm':
        return null;
    }
  });
}
