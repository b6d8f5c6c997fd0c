import {
  ConflictError,
  FlywheelError,
  InvalidInputError,
  NotFoundError,
  RejectedError,
  UnavailableError,
} from '../domain/errors.ts';
import { troubleOf } from '../domain/sqlstate.ts';

/** What the driver tells about an error: SQLSTATE or a network code, and PostgreSQL's detail. */
interface DriverError {
  readonly code: string;
  readonly message: string;
  readonly detail?: string;
}

/**
 * Any error of a query as one of ours. What the driver said is kept as `cause`; the message never holds the
 * query's parameters nor the address's password.
 */
export function toFlywheelError(error: unknown): Error {
  if (error instanceof FlywheelError) return error;
  const driver = driverErrorOf(error);
  if (!driver) return error instanceof Error ? error : new Error(String(error));

  const { code, message, detail } = driver;
  const options = { cause: withoutQuery(driver) };
  const said = detail ? `${message} (${detail})` : message;
  const trouble = troubleOf(code);
  if (trouble === 'passing') {
    return new UnavailableError(`PostgreSQL does not answer right now: ${message}.`, options);
  }
  if (trouble === 'setup') {
    return new InvalidInputError(
      `PostgreSQL cannot be used as it is set up: ${message}. Check DATABASE_URL, and that the migrations ran.`,
      options,
    );
  }
  if (code === '23503') return new NotFoundError(`Lineage refers to something unknown: ${said}`, options);
  if (code === '23505') return new ConflictError(`Lineage holds this already: ${said}`, options);
  return new RejectedError(`PostgreSQL refused: ${message}.`, { ...options, code });
}

/** The driver hangs the query and its parameters, that is, users' data, on its errors. */
function withoutQuery({ message, code }: DriverError): Error {
  return Object.assign(new Error(message), { code });
}

/** Drizzle wraps what the driver threw, with the query and its parameters in the message. */
function driverErrorOf(error: unknown): DriverError | null {
  for (let current = error; current instanceof Error; current = current.cause) {
    if ('code' in current && typeof current.code === 'string') return current as Error & DriverError;
    if (current instanceof AggregateError && current.errors.length > 0)
      return driverErrorOf(current.errors[0]);
  }
  return null;
}

/** The same repository, whose every method rejects with errors of ours. */
export function withOurErrors<T extends object>(repository: T): T {
  const wrapped = Object.entries(repository).map(([name, method]) => [
    name,
    async (...args: unknown[]) => {
      try {
        return await (method as (...args: unknown[]) => unknown)(...args);
      } catch (error) {
        throw toFlywheelError(error);
      }
    },
  ]);
  return Object.fromEntries(wrapped) as T;
}
