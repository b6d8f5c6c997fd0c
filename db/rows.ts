import { NotFoundError } from '../domain/errors.ts';

/** PostgreSQL's `2026-11-21 02:03:04.5+00` as RFC 3339 with milliseconds. */
export function toIso(time: string): string {
  return new Date(time).toISOString();
}

export function toIsoOrNull(time: string | null): string | null {
  return time === null ? null : toIso(time);
}

/** The only row, or `NotFoundError` saying what is missing. */
export function one<T>(rows: readonly T[], what: string): T {
  const row = rows[0];
  if (row === undefined) throw new NotFoundError(`There is no ${what}.`);
  return row;
}
