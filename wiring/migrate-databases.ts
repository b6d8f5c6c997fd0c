import type { Config } from '../config/config.ts';
import { migrate } from '../db/migrate.ts';
import { migrateElasticsearchLogs } from '../integrations/elasticsearch/migrate.ts';
import { migratePostgresLogs } from '../integrations/postgres-logs/migrate.ts';

/** Brings lineage and log store up to date. Safe to call by every process at every start. */
export async function migrateDatabases({
  database,
  logStore,
}: Pick<Config, 'database' | 'logStore'>): Promise<void> {
  await migrate(database.url);
  if (logStore.kind === 'elasticsearch') await migrateElasticsearchLogs(logStore);
  else await migratePostgresLogs(database.url);
}
