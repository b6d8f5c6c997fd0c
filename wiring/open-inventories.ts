import type { Inventories } from '../activities/ports/inventory.ts';
import { createInventory as createNemoInventory } from '../integrations/nemo-microservices/inventory.ts';
import { createInventory as createPlatformInventory } from '../integrations/nemo-platform/inventory.ts';
import { byProvider, type Providers } from './by-provider.ts';

/** What Flywheel made at the configured providers; null where it leaves nothing, or cannot tell. */
export function openInventories(config: Providers): Inventories {
  return byProvider(config, (name, provider) => {
    switch (provider.kind) {
      case 'nemo-microservices':
        return createNemoInventory({ name, ...provider });
      case 'nemo-platform':
        return createPlatformInventory({ name, ...provider });
      case 'openai':
      case 'vllm':
        return null;
    }
  });
}
