import { type ClientConnectConfig, loadClientConnectConfig } from '@temporalio/envconfig';
import type { Config } from '../config/config.ts';

/**
 * How to reach Temporal: TLS, API key and metadata as `TEMPORAL_*` variables or a profile say (Temporal's own
 * envconfig), address and namespace as our configuration says, which knows the embedded server.
 */
export function temporalConnection(
  config: Pick<Config, 'temporal'>,
): ClientConnectConfig & { namespace: string } {
  const { connectionOptions } = loadClientConnectConfig();
  const { address, namespace } = config.temporal;
  return { connectionOptions: { ...connectionOptions, address }, namespace };
}
