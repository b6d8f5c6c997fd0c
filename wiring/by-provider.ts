import type { TraceIds } from '../activities/ports/trace.ts';
import type { Config } from '../config/config.ts';
import type { Provider } from '../config/provider.ts';
import { NotFoundError } from '../domain/errors.ts';

/** The configured providers, and what their calls belong to, where that is a run. */
export interface Providers extends Pick<Config, 'providers'> {
  readonly traceId?: TraceIds;
}

/** Opens something of a configured provider at its first use, and keeps it. Throws `NotFoundError` for others. */
export function byProvider<T>(
  config: Providers,
  open: (name: string, provider: Provider & { readonly traceId?: TraceIds }) => T,
): (name: string) => T {
  const opened = new Map<string, T>();
  const { traceId } = config;
  const openOnce = (name: string) => open(name, { ...providerOf(config, name), ...(traceId && { traceId }) });
  return (name) => {
    const found = opened.has(name) ? (opened.get(name) as T) : openOnce(name);
    opened.set(name, found);
    return found;
  };
}

function providerOf({ providers }: Pick<Config, 'providers'>, name: string): Provider {
  const provider = Object.hasOwn(providers, name) ? providers[name] : undefined;
  if (provider) return provider;
  throw new NotFoundError(
    `Provider "${name}" is not configured; candidates.yaml has ${Object.keys(providers).join(', ')}.`,
  );
}
