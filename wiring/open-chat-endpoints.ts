import type { Config } from '../config/config.ts';
import type { Provider } from '../config/provider.ts';
import { toReference } from '../integrations/nemo-platform/names.ts';
import { openAiPath } from '../integrations/nemo-platform/openai-path.ts';

/** Where a model's chat completions are, for who passes them on as they come. */
export interface ChatEndpoint {
  /** Ends in the version, `/v1`. */
  readonly baseUrl: string;
  readonly apiKey: string | null;
}

/** The endpoint of a provider's model; null for a provider that is not configured. */
export type ChatEndpoints = (provider: string, model: string) => ChatEndpoint | null;

/** The same endpoints that `openChatModels` asks: what is served is what was evaluated. */
export function openChatEndpoints({ providers }: Pick<Config, 'providers'>): ChatEndpoints {
  return (name, model) => {
    const provider = Object.hasOwn(providers, name) ? providers[name] : undefined;
    return provider ? { baseUrl: baseUrlOf(provider, model), apiKey: provider.apiKey } : null;
  };
}

function baseUrlOf(provider: Provider, model: string): string {
  if (provider.kind !== 'nemo-platform') return provider.baseUrl;
  return `${provider.url}${openAiPath(toReference(model, provider.workspace).workspace)}`;
}
