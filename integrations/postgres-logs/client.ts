import postgres from 'postgres';
import { InvalidInputError } from '../../domain/errors.ts';

export type Client = postgres.Sql;
/** A client or a transaction on it. */
export type Queries = postgres.ISql;

export function openClient(url: string, max: number): Client {
  if (!URL.canParse(url)) {
    throw new InvalidInputError(
      'The log store’s address is not a PostgreSQL address (postgres://user:password@host:5432/database).',
    );
  }
  return postgres(url, {
    max,
    connect_timeout: 10,
    idle_timeout: 60,
    onnotice: () => undefined,
    // A statement is the longest write there is: one that hangs must not hold snapshots back for ever.
    connection: { application_name: 'flywheel-logs', TimeZone: 'UTC', statement_timeout: 60_000 },
  });
}
