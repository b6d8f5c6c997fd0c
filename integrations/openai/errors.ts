import { APIConnectionError, APIConnectionTimeoutError, APIError } from 'openai';
import { FlywheelError, RejectedError, UnavailableError } from '../../domain/errors.ts';
import { withoutSecrets } from '../../domain/secrets.ts';

/** A call as its errors name it: `local could not list models: …`. */
export interface CallName {
  readonly provider: string;
  /** Verb phrase, such as `list models`. */
  readonly doing: string;
}

/** No server has a good reason to ask for more; a wrong header must not park a run for days. */
const longestRetryAfterMs = 15 * 60_000;
const longestDetail = 300;

/** 429s that waiting does not cure: someone has to pay or raise a limit. */
const exhaustedCodes: readonly string[] = ['insufficient_quota', 'billing_hard_limit_reached'];

/** `unknown_url` is our model server's; others answer with the bare status. */
const missingRouteCodes: ReadonlySet<string> = new Set(['not_found', 'method_not_allowed', 'unknown_url']);

/** For servers that refuse without a code of their own. */
const codeByStatus: Readonly<Record<number, string>> = { 404: 'not_found', 405: 'method_not_allowed' };

/** vLLM and NIM report a prompt that does not fit as a plain 400; only the text tells. */
const contextLengthText = /maximum context length|context (length|window) (is )?exceeded|max_model_len/i;
const contentFilterCodes: readonly string[] = ['content_filter', 'content_policy_violation'];

/**
 * The one translation of what the `openai` package throws.
 *
 * Time-outs, 408, 429, 5xx, a 409 that asks to wait, broken connections → `UnavailableError`.
 * Every other answer → `RejectedError` with a `code`: `unauthorized`, `context_length_exceeded` and
 * `content_filter` whatever the provider calls them, else the server's own, else one for the status. Messages never carry credentials, and an API error is not kept as
 * `cause`: its text may quote the key, and causes end up in workflow histories.
 */
export function toFlywheelError(error: unknown, call: CallName): unknown {
  if (error instanceof FlywheelError) return error;
  if (error instanceof APIConnectionTimeoutError) return timedOut(call);
  if (error instanceof APIConnectionError) return unreachable(error, call);
  if (error instanceof APIError)
    return error.status === undefined ? unreachable(error, call) : answered(error, call);
  // `response.json()` of the package throws this for a body cut short or a proxy's page.
  if (error instanceof SyntaxError) return unreadable('the reply is not JSON', call);
  if (error instanceof Error) return unreachable(error, call);
  return error;
}

/** Whether the server does not have the route at all: an extension of the dialect that it does not know. */
export function isMissingRoute(error: unknown): boolean {
  return error instanceof RejectedError && missingRouteCodes.has(error.code ?? '');
}

export function timedOut({ provider, doing }: CallName, timeoutMs?: number): UnavailableError {
  const limit = timeoutMs === undefined ? 'the time allowed' : `${timeoutMs / 1000} s`;
  return new UnavailableError(`${provider} did not ${doing} within ${limit}.`, { kind: 'timeout' });
}

/** A reply that cannot be what was asked for. Retryable: mostly a proxy's page or a body cut short. */
export function unreadable(detail: string, { provider, doing }: CallName): UnavailableError {
  return new UnavailableError(`${provider} was asked to ${doing}, but ${shorten(detail)}.`, {
    kind: 'failing',
  });
}

function unreachable(error: Error, { provider, doing }: CallName): UnavailableError {
  return new UnavailableError(`${provider} could not ${doing}: ${rootCause(error)}.`, {
    kind: 'unreachable',
    cause: error,
  });
}

function answered(error: APIError, call: CallName): FlywheelError {
  const { status } = error;
  const said = `${call.provider} could not ${call.doing}: ${status} ${detailOf(error)}`;
  const retryAfterMs = retryAfter(error.headers);
  if (isPassing(error, retryAfterMs)) {
    const kind = [408, 409, 429, 503].includes(Number(status)) ? 'busy' : 'failing';
    return new UnavailableError(said, { kind, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
  }
  const code = codeOf(error);
  return new RejectedError(said, code === undefined ? {} : { code });
}

function isPassing({ status, code }: APIError, retryAfterMs: number | undefined): boolean {
  if (status === 429) return !exhaustedCodes.includes(String(code));
  // A 409 is a refusal (same name, wrong state) unless the server says that it will pass.
  if (status === 409) return retryAfterMs !== undefined || code === 'device_busy';
  return status === 408 || Number(status) >= 500;
}

function codeOf(error: APIError): string | undefined {
  if (error.status === 401 || error.status === 403) return 'unauthorized';
  const code = typeof error.code === 'string' ? error.code : undefined;
  if (code !== undefined && contentFilterCodes.includes(code)) return 'content_filter';
  if (code === 'context_length_exceeded') return code;
  if (error.status === 400 && contextLengthText.test(error.message)) return 'context_length_exceeded';
  return code ?? codeByStatus[Number(error.status)];
}

function detailOf(error: APIError): string {
  // The text of a refused login quotes the key.
  if (error.status === 401 || error.status === 403)
    return '(the credentials were refused; check the API key)';
  return shorten(error.message.replace(/^\d{3} /, ''));
}

function rootCause(error: Error): string {
  const inner = error.cause instanceof Error ? rootCause(error.cause) : error.message;
  return shorten(inner || error.name);
}

function shorten(text: string): string {
  const line = withoutSecrets(text).replace(/\s+/g, ' ').trim();
  return line.length > longestDetail ? `${line.slice(0, longestDetail)}…` : line;
}

/** Milliseconds from `retry-after-ms` or `retry-after` (seconds or an HTTP date); undefined when absent. */
function retryAfter(headers: Headers | undefined): number | undefined {
  const ms = Number.parseFloat(headers?.get('retry-after-ms') ?? '');
  if (Number.isFinite(ms)) return clamp(ms);
  const text = headers?.get('retry-after');
  if (!text) return undefined;
  const seconds = Number(text);
  const wait = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(text) - Date.now();
  return Number.isFinite(wait) ? clamp(wait) : undefined;
}

function clamp(ms: number): number {
  return Math.min(Math.max(Math.round(ms), 0), longestRetryAfterMs);
}
