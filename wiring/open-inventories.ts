import type { Inventories } from '../activities/ports/inventory.ts';
import type { Config } from '../config/config.ts';
import type { GuardrailRules } from '../domain/guardrails/guardrails.ts';
import { createInventory as createNemoInventory } from '../integrations/nemo-microservices/inventory.ts';
import { createInventory as createPlatformInventory } from '../integrations/nemo-platform/inventory.ts';
import { byProvider, type Providers } from './by-provider.ts';

/** What Flywheel made at the configured providers; null where it leaves nothing, or cannot tell. */
export function openInventories(config: Providers & Pick<Config, 'policies'>): Inventories {
  return byProvider(config, (name, provider) => {
    switch (provider.kind) {
      case 'nemo-microservices':
        return createNemoInventory({ name, ...provider });
      case 'nemo-platform':
        return createPlatformInventory({ name, ...provider }, guardrailsAt(name, config.policies));
      case 'openai':
      case 'vllm':
        return null;
    }
  });
}

function guardrailsAt(provider: string, policies: Config['policies']): GuardrailRules[] {
  return [policies.default, ...Object.values(policies.workloads)]
    .map(({ guardrails }) => guardrails)
    .filter((guardrails) => guardrails?.provider === provider)
    .filter((guardrails) => guardrails !== null);
}
