import {
  ConflictError,
  FlywheelError,
  InvalidInputError,
  NotFoundError,
  UnavailableError,
} from '../domain/errors.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import type { Hint } from './hint.ts';

/** One line; by a function where it names a command, which has to be for the same stack. */
type Next = string | ((hint: Hint) => string);

/** An error that a user reads: what was found, and the next step. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  /** Stable, snake_case; `error.code` under `--json`. */
  readonly code: string;
  readonly #next: Next | null;
  readonly exitCode: ExitCode;

  constructor(
    message: string,
    options: ErrorOptions & { code?: string; next?: Next; exitCode?: ExitCode } = {},
  ) {
    super(message, options);
    this.code = options.code ?? 'failed';
    this.exitCode = options.exitCode ?? exitCodes.failed;
    this.#next = options.next ?? null;
  }

  /** What to do now; null where nobody can say. */
  nextStep(hint: Hint): string | null {
    return typeof this.#next === 'function' ? this.#next(hint) : this.#next;
  }

  /** The same error, whatever stack the reader of it is at: for a command that works on another than its own. */
  toldWith(hint: Hint): CommandError {
    const { code, exitCode, cause } = this;
    const next = this.nextStep(hint);
    return new CommandError(this.message, { code, exitCode, cause, ...(next !== null && { next }) });
  }
}

/** Reads any thrown value as something that a user can act on. */
export function toCommandError(error: unknown): CommandError {
  if (error instanceof CommandError) return error;
  if (error instanceof FlywheelError) return fromFlywheelError(error);
  if (isTemporalDown(error)) return serviceDown('Temporal', error);
  const unreachable = unreachableAddress(error);
  if (unreachable) return serviceDown(unreachable, error);
  return new CommandError(firstLine(error), {
    code: 'unexpected',
    next: 'Set FLYWHEEL_DEBUG=1 to see where it happened.',
    cause: error,
  });
}

/** The error for a service that does not answer, with the one command that usually mends it. */
export function serviceDown(what: string, cause?: unknown): CommandError {
  return new CommandError(`${what} does not answer.`, {
    code: 'unavailable',
    exitCode: exitCodes.unavailable,
    next: (hint) => `Start it by \`${hint('dev')}\`, or see \`${hint('doctor')}\`.`,
    cause,
  });
}

function fromFlywheelError(error: FlywheelError): CommandError {
  const options = { cause: error };
  // By name: what a wrong setting is belongs to config/, which this file must not load.
  if (error instanceof InvalidInputError || error.name === 'ConfigError')
    return new CommandError(error.message, {
      ...options,
      code: 'invalid_input',
      exitCode: exitCodes.usage,
    });
  if (error instanceof UnavailableError)
    return new CommandError(error.message, {
      ...options,
      code: 'unavailable',
      exitCode: exitCodes.unavailable,
      next: (hint) => `Start it by \`${hint('dev')}\`, or see \`${hint('doctor')}\`.`,
    });
  if (error instanceof NotFoundError)
    return new CommandError(error.message, {
      ...options,
      code: 'not_found',
      next: (hint) => `See \`${hint('workloads')}\` and \`${hint('runs')}\`.`,
    });
  if (error instanceof ConflictError)
    return new CommandError(error.message, { ...options, code: 'conflict' });
  return new CommandError(error.message, options);
}

/** gRPC's UNAVAILABLE, beneath what the client makes of it: a server that went away in the middle of a command. */
function isTemporalDown(error: unknown): boolean {
  const { code, details } = (error instanceof Error ? (error.cause ?? error) : {}) as Record<string, unknown>;
  return code === 14 && typeof details === 'string';
}

interface SystemError {
  readonly code?: unknown;
  readonly address?: unknown;
  readonly port?: unknown;
  readonly errors?: unknown;
  readonly cause?: unknown;
}

const connectionCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EHOSTUNREACH',
  'CONNECT_TIMEOUT',
]);

/** The address in a refused connection, wherever a driver put it (`cause`, an AggregateError's `errors`). */
function unreachableAddress(error: unknown, depth = 0): string | null {
  if (typeof error !== 'object' || error === null || depth > 4) return null;
  const { code, address, port, errors, cause } = error as SystemError;
  if (typeof code === 'string' && connectionCodes.has(code))
    return port === undefined
      ? 'A service'
      : `The service at ${asText(address) ?? 'localhost'}:${asText(port) ?? '?'}`;
  const inner = [...(Array.isArray(errors) ? errors : []), cause];
  for (const candidate of inner) {
    const found = unreachableAddress(candidate, depth + 1);
    if (found) return found;
  }
  return null;
}

function asText(value: unknown): string | null {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : null;
}

function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split('\n')[0] ?? text;
}
