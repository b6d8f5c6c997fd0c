import type { Deployers } from '../activities/ports/deployer.ts';
import type { Config } from '../config/config.ts';

/** The configured providers that deploy models on request. */
export function openDeployers(_config: Pick<Config, 'providers'>): Deployers {
  return () => null;
}
