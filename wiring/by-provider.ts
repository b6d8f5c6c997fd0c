import type { Config } from '../config/config.ts';
import type { Provider } from '../config/provider.ts';
import { NotFoundError } from '../domain/errors.ts';

/** Opens something of a configured provider at its first use, and keeps it. Throws `NotFoundError` for others. */
export function byProvider<T>(
  config: Pick<Config, 'providers'>,
  open: (name: string, provider: Provider) => T,
): (name: string) => T {
  const opened = new Map<string, T>();
  return (name) => {
    const found = opened.has(name) ? (opened.get(name) as T) : open(name, providerOf(config, name));
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
