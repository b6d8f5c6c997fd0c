import { FlywheelError, InvalidInputError, RejectedError, UnavailableError } from '../../domain/errors.ts';

/** Connection lost, resources short, shutting down, cancelled, deadlock, or a network error. */
const passing = /^(08|40|53|55|57|E[A-Z_]{3}|CONNECT)/;
/** Wrong login, or a database or table that is not there. */
const setup = /^(28|3D|3F|42P01)/;

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
  return code === ''
    ? error
    : new RejectedError(`The log store refused: ${error.message}.`, { ...options, code });
}

/** Runs a query with our errors. */
export async function guarded<T>(query: () => Promise<T>): Promise<T> {
  try {
    return await query();
  } catch (error) {
    throw toLogStoreError(error);
  }
}
