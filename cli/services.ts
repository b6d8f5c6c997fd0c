import type { Client } from '@temporalio/client';
import type { LogStore } from '../activities/ports/log-store.ts';
import type { Config } from '../config/config.ts';
import type { OpenLineage } from '../wiring/open-lineage.ts';
import { serviceDown } from './command-error.ts';

// Drivers and the Temporal client load when a command first needs them, so that `--help` stays quick.

/** Opens the lineage for one piece of work and closes it, whatever happens. */
export async function withLineage<T>(config: Config, work: (lineage: OpenLineage) => Promise<T>): Promise<T> {
  const { openLineage } = await import('../wiring/open-lineage.ts');
  const lineage = openLineage(config);
  try {
    return await work(lineage);
  } finally {
    await lineage.close();
  }
}

export async function withLogStore<T>(config: Config, work: (logStore: LogStore) => Promise<T>): Promise<T> {
  const { openLogStore } = await import('../wiring/open-log-store.ts');
  const logStore = openLogStore(config);
  try {
    return await work(logStore);
  } finally {
    await logStore.close();
  }
}

/** How long a Temporal server gets to accept the connection. */
const connectTimeoutMs = 5_000;

/** Connects to Temporal; TLS and API key come from Temporal's own variables, for a server that is not ours. */
export async function withTemporal<T>(config: Config, work: (client: Client) => Promise<T>): Promise<T> {
  const [{ Client, Connection }, { temporalConnection }] = await Promise.all([
    import('@temporalio/client'),
    import('../wiring/temporal-connection.ts'),
  ]);
  const { connectionOptions, namespace } = temporalConnection(config);
  const connection = await Connection.connect({
    ...connectionOptions,
    connectTimeout: connectTimeoutMs,
  }).catch((error: unknown) => {
    throw serviceDown(`Temporal at ${config.temporal.address}`, error);
  });
  try {
    return await work(new Client({ connection, namespace }));
  } finally {
    await connection.close();
  }
}
