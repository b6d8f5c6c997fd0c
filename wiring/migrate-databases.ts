import type { Config } from '../config/config.ts';
import { migrate } from '../db/migrate.ts';
import { migratePostgresLogs } from '../integrations/postgres-logs/migrate.ts';

/** Brings lineage and log store up to date. Safe to call by every process at every start. */
export async function migrateDatabases(config: Pick<Config, 'database'>): Promise<void> {
  await migrate(config.database.url);
  await migratePostgresLogs(config.database.url);
}
