import { FlywheelError, InvalidInputError, RejectedError, UnavailableError } from '../../domain/errors.ts';

/** Connection lost, resources short, shutting down, cancelled, deadlock, or a network error. */
const passing = /^(08|40|53|55|57|E[A-Z_]{3}|CONNECT)/;
/** Wrong login, or a database or table that is not there. */
const setup = /^(28|3D|3F|42P01)/;
/**
 * What a record says: a value out of bounds, a constraint, or more (54: nesting, a key's length) than the
 * server can hold. Every other code would befall any record: a standby (25006), a right that is missing (42501).
 */
const recordFault = /^(22|23|54)/;

/** The driver's error as one of ours; the address and its password never show. */
export function toLogStoreError(error: unknown): Error {
  if (error instanceof FlywheelError) return error;
  if (!(error instanceof Error)) return new Error(String(error));
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  // Not the error itself: the driver hangs the query and its parameters, that is, users' data, on it.
  const options = { cause: Object.assign(new Error(error.message), { code }) };
  if (passing.test(code)) {
    return new UnavailableError(
      `The log store (PostgreSQL) does not answer right now: ${error.message}.`,
      options,
    );
  }
  if (setup.test(code)) {
    return new InvalidInputError(
      `The log store (PostgreSQL) cannot be used as it is set up: ${error.message}. ` +
        'Check DATABASE_URL, and that the migrations ran.',
      options,
    );
  }
  if (recordFault.test(code))
    return new RejectedError(`The log store refused: ${error.message}.`, { ...options, code });
  if (code === '') return error;
  return new UnavailableError(
    `The log store (PostgreSQL) cannot be used as it is (${code}): ${error.message}. ` +
      'Check that DATABASE_URL names the primary, and what its role may do.',
    { ...options, kind: 'failing' },
  );
}

/** Runs a query with our errors. */
export async function guarded<T>(query: () => Promise<T>): Promise<T> {
  try {
    return await query();
  } catch (error) {
    throw toLogStoreError(error);
  }
}
