import type { LogStore } from '../activities/ports/log-store.ts';
import type { Config } from '../config/config.ts';
import { createPostgresLogStore } from '../integrations/postgres-logs/log-store.ts';

/** The log store of this configuration; connects on first use. `migrateDatabases` must have run. */
export function openLogStore(config: Pick<Config, 'database'>): LogStore {
  return createPostgresLogStore(config.database.url);
}
