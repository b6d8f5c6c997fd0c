import type { AdapterFiles } from '../activities/ports/adapter-files.ts';
import { createAdapterFiles as createPlatformAdapterFiles } from '../integrations/nemo-platform/adapter-files.ts';
import { createAdapterFiles } from '../integrations/openai/adapter-files.ts';
import { byProvider, type Providers } from './by-provider.ts';

/** The configured providers' adapters, to be read; one that does not know the way says so (`list`). */
export function openAdapterFiles(config: Providers): (provider: string) => AdapterFiles {
  return byProvider(config, (name, provider) =>
    provider.kind === 'nemo-platform'
      ? createPlatformAdapterFiles({ name, ...provider })
      : createAdapterFiles({ name, ...provider }),
  );
}
