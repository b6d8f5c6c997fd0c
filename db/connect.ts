import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js';
import postgres from 'postgres';
import { InvalidInputError } from '../domain/errors.ts';
import { toFlywheelError } from './errors.ts';

export type Database = PostgresJsDatabase;
/** A database or a transaction on it. */
export type Queries = Pick<Database, 'select' | 'insert' | 'update' | 'delete' | 'execute'>;

export interface Connection {
  readonly db: Database;
  /** Resolves when the server answers; rejects with `UnavailableError` otherwise. */
  ping(): Promise<void>;
  /** Waits for running queries, at most five seconds. */
  close(): Promise<void>;
}

/**
 * A pool of connections, opened on first use and mended by itself.
 * `max`: ten per process lets the whole stack stay under PostgreSQL's default of a hundred.
 */
export function connect(url: string, options: { max?: number } = {}): Connection {
  const client = openClient(url, options.max ?? 10);
  return {
    db: drizzle(client, { casing: 'snake_case' }),
    async ping() {
      await client`select 1`.catch((error: unknown) => {
        throw toFlywheelError(error);
      });
    },
    close: () => client.end({ timeout: 5 }),
  };
}

export function openClient(url: string, max: number): postgres.Sql {
  return postgres(checkUrl(url), {
    max,
    // Shorter than any activity's time-out, so that a dead server is told from a slow one.
    connect_timeout: 10,
    idle_timeout: 60,
    onnotice: () => undefined,
    connection: { application_name: 'flywheel', TimeZone: 'UTC' },
  });
}

/** The driver's own complaint about a bad address would print it, password and all. */
function checkUrl(url: string): string {
  if (URL.canParse(url) && /^postgres(ql)?:$/.test(new URL(url).protocol)) return url;
  throw new InvalidInputError(
    'DATABASE_URL is not a PostgreSQL address. It must look like postgres://user:password@host:5432/database.',
  );
}
