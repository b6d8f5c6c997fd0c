import type { z } from 'zod';
import { type FlywheelError, RejectedError, UnavailableError } from '../../domain/errors.ts';
import { withoutSecrets } from '../../domain/secrets.ts';
import { waitMsOf } from './retry-after.ts';

/** A call as its errors name it: `nemo could not list models: …`. */
export interface CallName {
  /** The provider's name in candidates.yaml. */
  readonly provider: string;
  /** Verb phrase, such as `list models`. */
  readonly doing: string;
  /** What the call was entered with: no error quotes it, whatever it looks like. */
  readonly apiKey?: string | null;
}

/** An answer that is no success, as its dialect reads it. */
export interface Refusal {
  readonly status: number;
  readonly headers: Headers;
  /** What it says, for people; the status says the rest. */
  readonly detail: string;
  /** Its own code; the one for its status where it has none. */
  readonly code?: string | undefined;
}

const longestDetail = 400;

/** Waited out; `busy` where the service asks for it, `failing` otherwise. Besides these, every 5xx. */
const busyStatuses: ReadonlySet<number> = new Set([408, 425, 429, 503]);
/** 429s that waiting does not cure: someone has to pay or raise a limit. */
const exhaustedCodes: ReadonlySet<string> = new Set(['insufficient_quota', 'billing_hard_limit_reached']);
const contentFilterCodes: ReadonlySet<string> = new Set(['content_filter', 'content_policy_violation']);
/** vLLM and NIM report a prompt that does not fit as a plain 400; only the text tells. */
const contextLengthText = /maximum context length|context (length|window) (is )?exceeded|max_model_len/i;

/** For services without codes of their own, as FastAPI's are. */
const codeByStatus: Readonly<Record<number, string>> = {
  404: 'not_found',
  405: 'method_not_allowed',
  409: 'conflict',
  422: 'invalid',
};

/**
 * The one translation of what a service answered, whatever its dialect.
 *
 * 408, 425, 429, 5xx, and a 409 that asks to wait → `UnavailableError`. Everything else → `RejectedError` with a
 * `code`: `unauthorized`, `context_length_exceeded` and `content_filter` whatever the service calls them, else its
 * own, else one for the status. With the id by which the service knows the request; never with credentials.
 */
export function refused(refusal: Refusal, call: CallName): FlywheelError {
  const said = `${call.provider} could not ${call.doing}: ${refusal.status} ${detailOf(refusal, call.apiKey)}`;
  const retryAfterMs = waitMsOf(refusal.headers);
  if (isPassing(refusal, retryAfterMs)) {
    const kind = refusal.status === 409 || busyStatuses.has(refusal.status) ? 'busy' : 'failing';
    return new UnavailableError(said, { kind, ...(retryAfterMs !== undefined && { retryAfterMs }) });
  }
  const code = codeOf(refusal);
  return new RejectedError(said, code === undefined ? {} : { code });
}

/** What `fetch` throws: no connection, or one that broke. No `cause`: its text may quote a URL with its key. */
export function unreachable(error: unknown, { provider, doing, apiKey }: CallName): UnavailableError {
  return new UnavailableError(`${provider} could not ${doing}: ${rootCause(error, apiKey)}.`, {
    kind: 'unreachable',
  });
}

export function timedOut({ provider, doing }: CallName, timeoutMs?: number): UnavailableError {
  const limit = timeoutMs === undefined ? 'the time allowed' : `${timeoutMs / 1000} s`;
  return new UnavailableError(`${provider} did not ${doing} within ${limit}.`, { kind: 'timeout' });
}

/** A reply that cannot be what was asked for. Retryable: mostly a proxy's page or a body cut short. */
export function unreadable(detail: string, { provider, doing, apiKey }: CallName): UnavailableError {
  return new UnavailableError(`${provider} was asked to ${doing}, but ${shorten(detail, apiKey)}.`, {
    kind: 'failing',
  });
}

/** A reply that is not of its form; says where. */
export function unlike(error: z.ZodError, call: CallName): UnavailableError {
  const [issue] = error.issues;
  const where = issue ? `${issue.path.join('.') || 'it'}: ${issue.message}` : 'unknown form';
  return unreadable(`the reply is not one: ${where}`, call);
}

/** One line, of bearable length, without credentials; `sent` is the one that is known. */
export function shorten(text: string, sent?: string | null): string {
  const line = withoutSecrets(text, sent).replace(/\s+/g, ' ').trim();
  return line.length > longestDetail ? `${line.slice(0, longestDetail)}…` : line;
}

/** What a service tells of a thing of its own, in its words: its error as ours are shown. */
export function tidied<T extends { readonly error: string | null }>(told: T, sent: string | null): T {
  return told.error === null ? told : { ...told, error: shorten(told.error, sent) };
}

function isPassing({ status, code }: Refusal, retryAfterMs: number | undefined): boolean {
  if (status === 429) return !exhaustedCodes.has(code ?? '');
  // A 409 is a refusal (same name, wrong state) unless the service says that it will pass.
  if (status === 409) return retryAfterMs !== undefined || code === 'device_busy';
  return busyStatuses.has(status) || status >= 500;
}

function codeOf({ status, code, detail }: Refusal): string | undefined {
  if (isUnauthorized(status)) return 'unauthorized';
  if (code !== undefined && contentFilterCodes.has(code)) return 'content_filter';
  if (code === 'context_length_exceeded') return code;
  if (status === 400 && contextLengthText.test(detail)) return 'context_length_exceeded';
  return code ?? codeByStatus[status];
}

function detailOf({ status, headers, detail }: Refusal, apiKey?: string | null): string {
  const requestId = headers.get('x-request-id');
  const by = requestId === null ? '' : ` (request ${shorten(requestId, apiKey)})`;
  // The text of a refused login may quote the key.
  if (isUnauthorized(status)) return `(the credentials were refused; check the API key)${by}`;
  return `${shorten(detail, apiKey) || '(it says nothing more)'}${by}`;
}

function isUnauthorized(status: number): boolean {
  return status === 401 || status === 403;
}

function rootCause(error: unknown, apiKey?: string | null): string {
  if (!(error instanceof Error)) return shorten(String(error), apiKey);
  if (error.cause instanceof Error) return rootCause(error.cause, apiKey);
  return shorten(error.message || error.name, apiKey);
}
