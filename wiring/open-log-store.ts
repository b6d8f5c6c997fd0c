import type { LogStore } from '../activities/ports/log-store.ts';
import type { Config } from '../config/config.ts';
import { createElasticsearchLogStore } from '../integrations/elasticsearch/log-store.ts';
import { createPostgresLogStore } from '../integrations/postgres-logs/log-store.ts';

/** The log store of this configuration; connects on first use. `migrateDatabases` must have run. */
export function openLogStore({ logStore, database }: Pick<Config, 'logStore' | 'database'>): LogStore {
  return logStore.kind === 'elasticsearch'
    ? createElasticsearchLogStore(logStore)
    : createPostgresLogStore(database.url);
}
