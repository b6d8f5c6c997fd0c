import { sql } from 'drizzle-orm';
import { type AnyPgColumn, check, timestamp } from 'drizzle-orm/pg-core';

/** A moment in UTC, kept to the microsecond and read as text. */
export function at() {
  return timestamp({ withTimezone: true, mode: 'string' });
}

/** Set by the database, whose clock is the only one that lineage uses. */
export function createdAt() {
  return at().notNull().defaultNow();
}

/** A text column that holds one of a fixed set of words. */
export function oneOf(name: string, column: AnyPgColumn, words: readonly string[]) {
  const list = words.map((word) => `'${word}'`).join(', ');
  return check(name, sql`${column} in (${sql.raw(list)})`);
}
