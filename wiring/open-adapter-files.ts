import type { AdapterFiles } from '../activities/ports/adapter-files.ts';
import type { Config } from '../config/config.ts';
import { createAdapterFiles } from '../integrations/openai/adapter-files.ts';
import { byProvider } from './by-provider.ts';

/** The configured providers' adapters, to be read; one that does not know the way says so (`list`). */
export function openAdapterFiles(config: Pick<Config, 'providers'>): (provider: string) => AdapterFiles {
  return byProvider(config, (name, provider) => createAdapterFiles({ name, ...provider }));
}
