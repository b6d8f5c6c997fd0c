import { FlywheelError, InvalidInputError, RejectedError, UnavailableError } from '../../domain/errors.ts';
import { troubleOf } from '../../domain/sqlstate.ts';

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
  const trouble = troubleOf(code);
  if (trouble === 'passing') {
    return new UnavailableError(
      `The log store (PostgreSQL) does not answer right now: ${error.message}.`,
      options,
    );
  }
  if (trouble === 'setup') {
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
