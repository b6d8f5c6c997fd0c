/**
 * The base of every error that Flywheel itself raises.
 *
 * `message` says what was found, what is needed and, where there is one, what to do next: it is shown to
 * users as it stands. `retryable` says whether repeating the same step could help; `activities/failures.ts`
 * is the one place that turns it into a Temporal failure, whose `type` is `name`.
 */
export abstract class FlywheelError extends Error {
  abstract override readonly name: string;
  abstract readonly retryable: boolean;
}

/** A setting, argument or file given by a person cannot be used. */
export class InvalidInputError extends FlywheelError {
  override readonly name = 'InvalidInputError';
  readonly retryable = false;
}

/** Something that was named does not exist. */
export class NotFoundError extends FlywheelError {
  override readonly name = 'NotFoundError';
  readonly retryable = false;
}

/** The state of the named thing does not allow the request (decided already, stale digest, superseded, …). */
export class ConflictError extends FlywheelError {
  override readonly name = 'ConflictError';
  readonly retryable = false;
}

/** Too few usable records to form the splits that were asked for. */
export class NotEnoughRecordsError extends FlywheelError {
  override readonly name = 'NotEnoughRecordsError';
  readonly retryable = false;
}

/**
 * What an unavailable system was seen to do; callers may conclude different things from each.
 *
 * - `unreachable`: no connection, or it broke before an answer.
 * - `timeout`: no answer within the time allowed for it.
 * - `busy`: it asked us to wait (408, 409 of a busy device, 429, 503).
 * - `failing`: it answered, with another 5xx or with something unreadable.
 */
export type UnavailableKind = 'unreachable' | 'timeout' | 'busy' | 'failing';

/** An outside system did not answer, or answered that it cannot right now. */
export class UnavailableError extends FlywheelError {
  override readonly name = 'UnavailableError';
  readonly retryable = true;
  readonly kind: UnavailableKind;
  /** How long the other side asked us to wait, if it did. */
  readonly retryAfterMs?: number;

  constructor(
    message: string,
    options: ErrorOptions & { kind?: UnavailableKind; retryAfterMs?: number } = {},
  ) {
    super(message, options);
    this.kind = options.kind ?? 'unreachable';
    if (options.retryAfterMs !== undefined) this.retryAfterMs = options.retryAfterMs;
  }
}

/** An outside system understood the request and refused it; asking again would be refused again. */
export class RejectedError extends FlywheelError {
  override readonly name = 'RejectedError';
  readonly retryable = false;
  /** The other side's own code for the refusal, such as `context_length_exceeded`. */
  readonly code?: string;

  constructor(message: string, options: ErrorOptions & { code?: string } = {}) {
    super(message, options);
    if (options.code !== undefined) this.code = options.code;
  }
}
