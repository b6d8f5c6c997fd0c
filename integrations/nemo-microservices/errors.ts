import { type FlywheelError, RejectedError, UnavailableError } from '../../domain/errors.ts';
import { isJsonObject } from '../../domain/json.ts';
import { withoutSecrets } from '../../domain/secrets.ts';

/** A call as its errors name it: `nemo could not list models: …`. */
export interface CallName {
  readonly provider: string;
  /** Verb phrase, such as `list models`. */
  readonly doing: string;
}

/** What a service answered that is no success. */
export interface Refusal {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** No server has a good reason to ask for more; a wrong header must not park a run for days. */
const longestRetryAfterMs = 15 * 60_000;
const longestDetail = 300;

/** FastAPI has no codes of its own; ours say what was refused. */
const codeByStatus: Readonly<Record<number, string>> = {
  401: 'unauthorized',
  403: 'unauthorized',
  404: 'not_found',
  405: 'method_not_allowed',
  409: 'conflict',
  422: 'invalid',
};

/** Deployment Management says that a name is taken with a 500. */
const takenText = /already exists/i;

/**
 * The one translation of a refusal: 408, 425, 429 and 5xx, and a 409 that asks to wait → `UnavailableError`;
 * everything else → `RejectedError` with a code, `conflict` for a name that is taken.
 */
export function refused(refusal: Refusal, call: CallName): FlywheelError {
  const { status } = refusal;
  const said = `${call.provider} could not ${call.doing}: ${status} ${detailOf(refusal)}`;
  const retryAfterMs = retryAfter(refusal.headers);
  if (status === 500 && takenText.test(refusal.text)) return new RejectedError(said, { code: 'conflict' });
  const asksToWait = status === 409 && retryAfterMs !== undefined;
  if (asksToWait || status >= 500 || [408, 425, 429].includes(status)) {
    const kind = asksToWait || [408, 425, 429, 503].includes(status) ? 'busy' : 'failing';
    return new UnavailableError(said, { kind, ...(retryAfterMs !== undefined && { retryAfterMs }) });
  }
  const code = codeByStatus[status];
  return new RejectedError(said, code === undefined ? {} : { code });
}

export function timedOut({ provider, doing }: CallName, timeoutMs: number): UnavailableError {
  return new UnavailableError(`${provider} did not ${doing} within ${timeoutMs / 1000} s.`, {
    kind: 'timeout',
  });
}

/** A reply that cannot be what was asked for. Retryable: mostly a proxy's page or a body cut short. */
export function unreadable(detail: string, { provider, doing }: CallName): UnavailableError {
  return new UnavailableError(`${provider} was asked to ${doing}, but ${shorten(detail)}.`, {
    kind: 'failing',
  });
}

export function unreachable(error: unknown, { provider, doing }: CallName): UnavailableError {
  return new UnavailableError(`${provider} could not ${doing}: ${rootCause(error)}.`, {
    kind: 'unreachable',
  });
}

/** Whether the other side has no such thing. */
export function isMissing(error: unknown): boolean {
  return error instanceof RejectedError && error.code === 'not_found';
}

/** Whether a look-up may be taken for "there is none": what a service says of something missing is not documented. */
export function isAbsent(error: unknown): boolean {
  return error instanceof RejectedError && error.code !== 'unauthorized';
}

/** Whether the name is taken. */
export function isConflict(error: unknown): boolean {
  return error instanceof RejectedError && error.code === 'conflict';
}

/** Some releases answer a namespace that is there with a 422; should it be another complaint, the next call tells. */
export function isConflictOfNamespace(error: unknown): boolean {
  return isConflict(error) || (error instanceof RejectedError && error.code === 'invalid');
}

/** The `detail` of FastAPI (a text, or one entry per invalid field), or the beginning of whatever came. */
function detailOf({ status, text }: Refusal): string {
  // The text of a refused login may quote the key.
  if (status === 401 || status === 403) return '(the credentials were refused; check the API key)';
  try {
    const body: unknown = JSON.parse(text);
    const { detail, message, error } = isJsonObject(body) ? body : {};
    const told = detail ?? message ?? error;
    if (typeof told === 'string') return shorten(told);
    if (Array.isArray(told)) return shorten(told.map(issue).join('; '));
    return shorten(text);
  } catch {
    return shorten(text);
  }
}

function issue(entry: unknown): string {
  const { loc = [], msg = '' } = isJsonObject(entry) ? entry : {};
  const where = Array.isArray(loc) ? loc.map((part) => JSON.stringify(part)).join('.') : 'body';
  return `${where.replaceAll('"', '')}: ${typeof msg === 'string' ? msg : JSON.stringify(msg)}`;
}

export function shorten(text: string): string {
  const line = withoutSecrets(text).replace(/\s+/g, ' ').trim();
  return line.length > longestDetail ? `${line.slice(0, longestDetail)}…` : line;
}

function rootCause(error: unknown): string {
  if (!(error instanceof Error)) return shorten(String(error));
  return error.cause instanceof Error ? rootCause(error.cause) : shorten(error.message || error.name);
}

/** Milliseconds from `retry-after` (seconds or an HTTP date); undefined when absent. */
function retryAfter(headers: Headers): number | undefined {
  const text = headers.get('retry-after');
  if (!text) return undefined;
  const seconds = Number(text);
  const wait = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(text) - Date.now();
  return Number.isFinite(wait) ? Math.min(Math.max(Math.round(wait), 0), longestRetryAfterMs) : undefined;
}
