import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** User and database of the PostgreSQL that a stack starts itself. */
export const embeddedDatabase = { user: 'flywheel', name: 'flywheel' } as const;

/** Where the embedded PostgreSQL of a home has its data, log and password. */
export function embeddedDatabaseDir(home: string): string {
  return join(home, 'postgres');
}

/** The password that the first start made; null before it. */
export function embeddedDatabasePassword(dir: string): string | null {
  try {
    return readFileSync(join(dir, 'password'), 'utf8').trim() || null;
  } catch {
    return null;
  }
}

/** `address` is `host:port`. */
export function embeddedDatabaseUrl(address: string, password: string): string {
  return `postgres://${embeddedDatabase.user}:${password}@${address}/${embeddedDatabase.name}`;
}
