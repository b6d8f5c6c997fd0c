import type { Lineage } from '../activities/ports/lineage.ts';
import type { Config } from '../config/config.ts';
import { connect } from '../db/connect.ts';
import { createLineage } from '../db/lineage.ts';

export interface OpenLineage extends Lineage {
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** The lineage of this configuration; connects on first use. `migrateDatabases` must have run. */
export function openLineage(config: Pick<Config, 'database'>): OpenLineage {
  const { db, ping, close } = connect(config.database.url);
  return { ...createLineage(db), ping, close };
}
