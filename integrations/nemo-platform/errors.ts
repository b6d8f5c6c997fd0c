import { type FlywheelError, RejectedError, UnavailableError } from '../../domain/errors.ts';
import { withoutSecrets } from '../../domain/secrets.ts';
import { Complaint } from './errors.schema.ts';

/** A call as its errors name it: `nemo could not list jobs: …`. */
export interface CallName {
  readonly provider: string;
  /** Verb phrase, such as `list jobs`. */
  readonly doing: string;
}

/** What came back instead of what was asked for. */
export interface Refusal {
  readonly status: number;
  readonly body: string;
  readonly retryAfter: string | null;
}

/** No server has a good reason to ask for more; a wrong header must not park a run for days. */
const longestRetryAfterMs = 15 * 60_000;
const longestDetail = 400;

/** The gateway's own words for a model that it does not route; the status alone would be any 404. */
const unknownModel = /No VirtualModel named|model entity .* not found|is not served/i;
/** The gateway wraps what a model's server answered in a 502 of its own. */
const wrapped = /^Backend returned (\d{3}): (.*)$/s;
const contextLength = /maximum context length|context (length|window) (is )?exceeded|max_model_len/i;

const codes: Readonly<Record<number, string>> = {
  401: 'unauthorized',
  403: 'unauthorized',
  404: 'not_found',
  405: 'method_not_allowed',
  409: 'conflict',
  422: 'invalid_request',
};

/**
 * The one translation of what the platform answers.
 *
 * Time-outs, 408, 429 and 5xx → `UnavailableError`; every other answer → `RejectedError` with a `code`: a
 * model server's own where the gateway passed one on, `model_not_found` for what the gateway does not route, else
 * one for the status. Never with credentials in it.
 */
export function toFlywheelError(refusal: Refusal, call: CallName): FlywheelError {
  const { status, complaint } = unwrap(refusal.status, read(refusal.body));
  const said = `${call.provider} could not ${call.doing}: ${status} ${detailOf(status, complaint.text)}`;
  if (status === 408 || status === 429 || status >= 500) {
    const kind = [408, 429, 503].includes(status) ? 'busy' : 'failing';
    const retryAfterMs = toMilliseconds(refusal.retryAfter);
    return new UnavailableError(said, { kind, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
  }
  return new RejectedError(said, { code: codeOf(status, complaint) });
}

/** What `fetch` throws: no connection, or one that broke. */
export function unreachable(error: unknown, { provider, doing }: CallName): UnavailableError {
  return new UnavailableError(`${provider} could not ${doing}: ${rootCause(error)}.`, {
    kind: 'unreachable',
  });
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

/**
 * A request that makes a healthy platform fail each time: it answers 500 where others answer 422, so asking again
 * would never end.
 */
export function rejectedByFailure(body: unknown, { provider, doing }: CallName): RejectedError {
  return new RejectedError(
    `${provider} failed (500) twice when asked to ${doing}, while it says that it is well, so something in the ` +
      `request is likely wrong: ${shorten(JSON.stringify(body))}. Its own log has the reason.`,
    { code: 'server_error' },
  );
}

function unwrap(status: number, complaint: Complaint): { status: number; complaint: Complaint } {
  const [, inner, text] = wrapped.exec(complaint.text) ?? [];
  if (inner === undefined || text === undefined) return { status, complaint };
  return { status: Number(inner), complaint: read(text) };
}

function read(body: string): Complaint {
  const parsed = Complaint.safeParse(body);
  return parsed.success ? parsed.data : { text: body, code: null };
}

function codeOf(status: number, { text, code }: Complaint): string {
  if (status === 401 || status === 403) return 'unauthorized';
  if (code !== null) return code;
  if (status === 404 && unknownModel.test(text)) return 'model_not_found';
  if (status === 400 && contextLength.test(text)) return 'context_length_exceeded';
  return codes[status] ?? 'rejected';
}

function detailOf(status: number, text: string): string {
  // The text of a refused login may quote the key.
  if (status === 401 || status === 403) return '(the credentials were refused; check the API key)';
  return shorten(text || '(it says nothing more)');
}

function rootCause(error: unknown): string {
  if (!(error instanceof Error)) return shorten(String(error));
  return error.cause instanceof Error ? rootCause(error.cause) : shorten(error.message || error.name);
}

function shorten(text: string): string {
  const line = withoutSecrets(text).replace(/\s+/g, ' ').trim();
  return line.length > longestDetail ? `${line.slice(0, longestDetail)}…` : line;
}

/** Seconds or an HTTP date. */
function toMilliseconds(retryAfter: string | null): number | undefined {
  if (!retryAfter) return undefined;
  const seconds = Number(retryAfter);
  const wait = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(retryAfter) - Date.now();
  return Number.isFinite(wait) ? Math.min(Math.max(Math.round(wait), 0), longestRetryAfterMs) : undefined;
}
