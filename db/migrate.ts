import { fileURLToPath } from 'node:url';
import { sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate as applyMigrations } from 'drizzle-orm/postgres-js/migrator';
import { openClient } from './connect.ts';
import { toFlywheelError } from './errors.ts';

/** Any fixed number: who holds it migrates. */
const migrationLock = 7_119_235_601;

/**
 * Brings the lineage's tables up to date. Safe to call from every process at every start: an advisory lock,
 * held by this connection alone, lets one work and the others find it done.
 */
export async function migrate(url: string): Promise<void> {
  const client = openClient(url, 1);
  const db = drizzle(client);
  try {
    await db.execute(sql`select pg_advisory_lock(${migrationLock})`);
    await applyMigrations(db, { migrationsFolder: fileURLToPath(new URL('./migrations', import.meta.url)) });
  } catch (error) {
    throw toFlywheelError(error);
  } finally {
    // Ends the session, and with it the lock, whatever happened.
    await client.end({ timeout: 5 });
  }
}
