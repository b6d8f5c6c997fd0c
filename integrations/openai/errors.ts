import { APIConnectionError, APIConnectionTimeoutError, APIError } from 'openai';
import { FlywheelError, RejectedError } from '../../domain/errors.ts';
import { type CallName, refused, timedOut, unreachable, unreadable } from '../http/errors.ts';

/** `unknown_url` is our model server's; others answer with the bare status. */
const missingRouteCodes: ReadonlySet<string> = new Set(['not_found', 'method_not_allowed', 'unknown_url']);

/** The one translation of what the `openai` package throws. */
export function toFlywheelError(error: unknown, call: CallName): unknown {
  if (error instanceof FlywheelError) return error;
  if (error instanceof APIConnectionTimeoutError) return timedOut(call);
  if (error instanceof APIConnectionError) return unreachable(error, call);
  if (error instanceof APIError) return answered(error, call);
  // `response.json()` of the package throws this for a body cut short or a proxy's page.
  if (error instanceof SyntaxError) return unreadable('the reply is not JSON', call);
  if (error instanceof Error) return unreachable(error, call);
  return error;
}

/** Whether the server does not have the route at all: an extension of the dialect that it does not know. */
export function isMissingRoute(error: unknown): boolean {
  return error instanceof RejectedError && missingRouteCodes.has(error.code ?? '');
}

/** The package puts the status before what was said. */
function answered(error: APIError, call: CallName): FlywheelError {
  const { status, headers, message } = error;
  if (status === undefined) return unreachable(error, call);
  const code = typeof error.code === 'string' ? error.code : undefined;
  const detail = message.replace(/^\d{3} /, '');
  return refused({ status, headers: headers ?? new Headers(), detail, code }, call);
}
