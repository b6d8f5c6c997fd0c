/** What a PostgreSQL driver's error means for who asked: try later, have it mended, or neither. */
export type DatabaseTrouble = 'passing' | 'setup' | null;

/**
 * Passing: connection lost (08), rolled back (40), resources short (53), not ready (55), stopping or cancelled (57),
 * or a network error by its own name (`ECONNREFUSED`, `CONNECT_TIMEOUT`).
 */
const passing = /^(08|40|53|55|57|E[A-Z_]{3}|CONNECT)/;
/** A login (28), database (3D), schema (3F) or table (42P01) that is wrong or missing: a person has to mend it. */
const setup = /^(28|3D|3F|42P01)/;

/** Reads SQLSTATE, or a network error's code. */
export function troubleOf(code: string): DatabaseTrouble {
  if (passing.test(code)) return 'passing';
  return setup.test(code) ? 'setup' : null;
}
