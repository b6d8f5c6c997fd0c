import { type ClientConnectConfig, loadClientConnectConfig } from '@temporalio/envconfig';
import type { Config } from '../config/config.ts';

/**
 * How to reach Temporal: address and namespace as our configuration says. For a server that is not the
 * embedded one, TLS, API key and metadata come from `TEMPORAL_*` variables or a profile (Temporal's envconfig).
 */
export function temporalConnection(
  config: Pick<Config, 'temporal'>,
): ClientConnectConfig & { namespace: string } {
  const { address, namespace, embedded } = config.temporal;
  const shared = embedded ? {} : loadClientConnectConfig().connectionOptions;
  return { connectionOptions: { ...shared, address }, namespace };
}
