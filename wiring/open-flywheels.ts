import { Client, Connection } from '@temporalio/client';
import type { Flywheels } from '../activities/ports/flywheels.ts';
import type { Config } from '../config/config.ts';
import { createFlywheels } from './flywheels.ts';
import { temporalConnection } from './temporal-connection.ts';

export interface OpenFlywheels extends Flywheels {
  close(): Promise<void>;
}

/** The flywheels of this configuration; connects on first use. */
export function openFlywheels(config: Pick<Config, 'temporal'>): OpenFlywheels {
  const { connectionOptions, namespace } = temporalConnection(config);
  const connection = Connection.lazy(connectionOptions ?? {});
  return { ...createFlywheels(new Client({ connection, namespace })), close: () => connection.close() };
}
