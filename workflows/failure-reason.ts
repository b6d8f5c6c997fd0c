import { ApplicationFailure, TemporalFailure, TimeoutFailure } from '@temporalio/workflow';

/** What really went wrong, in one line for a person: the innermost cause of Temporal's wrapping. */
export function reasonOf(error: unknown): string {
  const cause = rootCause(error);
  if (cause instanceof TimeoutFailure)
    return `timed out (${String(cause.timeoutType).toLowerCase().replaceAll('_', ' ')})`;
  return cause instanceof Error ? cause.message : String(cause);
}

/** The failure's type, such as `NotEnoughRecordsError`, for handing the same one on. */
export function typeOf(error: unknown): string {
  const cause = rootCause(error);
  return cause instanceof ApplicationFailure && cause.type ? cause.type : 'FlywheelFailed';
}

function rootCause(error: unknown): unknown {
  // Below an ApplicationFailure lie the vendor's own errors: detail for a log, not for this line.
  if (error instanceof ApplicationFailure || !(error instanceof TemporalFailure)) return error;
  return error.cause ? rootCause(error.cause) : error;
}
