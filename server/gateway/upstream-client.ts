import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, type Dispatcher, request } from 'undici';
import { type Log, reasonOf } from '../log.ts';
import type { GatewayError } from '../openai-error.ts';
import type { ReceivedHeaders } from './headers.ts';
import type { Target } from './target.ts';

/** What a model's endpoint answered, its body not read yet. */
export interface UpstreamReply {
  readonly status: number;
  readonly headers: ReceivedHeaders;
  readonly body: Dispatcher.ResponseData['body'];
}

/** The caller hung up before the model had answered. */
export const callerGone = Symbol('caller gone');

export interface UpstreamClient {
  /** Resolves when the reply begins. Aborting `gone` ends the call, also while its body is read. */
  send(target: Target, gone: AbortSignal): Promise<UpstreamReply | GatewayError | typeof callerGone>;
  /** What became of a body that broke off, or never came. */
  explain(target: Target, error: unknown): GatewayError;
  close(): Promise<void>;
}

/** A connection on the same continent takes a fraction of a second; more means that nobody is there. */
const connectTimeoutMs = 10_000;

/** The call cannot have reached anybody, so that nobody can be asked, or paid, twice. */
const neverSent = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);
/** An endpoint that restarts is back within moments; the caller's own client tries for longer. */
const pausesMs = [100, 400];

/**
 * Sends calls on, once: an answer of any status is the caller's to judge, whose client retries as it was told.
 * Only a connection that was never made is tried again here.
 *
 * `timeoutMs`: longest silence, before the reply begins and between its pieces.
 */
export function createUpstreamClient(timeoutMs: number, log: Log): UpstreamClient {
  const agent = new Agent({
    connect: { timeout: connectTimeoutMs },
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
  });
  const explain = (target: Target, error: unknown) => explained(target, error, timeoutMs, log);
  return {
    async send(target, gone) {
      try {
        const { statusCode, headers, body } = await sendOnce(agent, target, gone);
        // Without a listener an abort in mid-body would end the process.
        body.on('error', () => undefined);
        return { status: statusCode, headers, body };
      } catch (error) {
        return gone.aborted ? callerGone : explain(target, error);
      }
    },
    explain,
    close: () => agent.destroy(),
  };
}

async function sendOnce(
  dispatcher: Agent,
  target: Target,
  signal: AbortSignal,
): Promise<Dispatcher.ResponseData> {
  const { url, body, headers } = target;
  for (const pauseMs of [...pausesMs, null]) {
    try {
      return await request(url, { method: 'POST', headers, body, dispatcher, signal });
    } catch (error) {
      if (pauseMs === null || !neverSent.has(codeOf(error))) throw error;
      await sleep(pauseMs, undefined, { signal });
    }
  }
  throw new Error('unreachable: the last attempt returns or throws');
}

function explained(target: Target, error: unknown, timeoutMs: number, log: Log): GatewayError {
  const url = withoutQuery(target.url);
  const who = target.responseSource === 'flywheel' ? `The promoted model "${target.model}"` : 'The upstream';
  log.warn('upstream_failed', { url, reason: reasonOf(error) });
  if (['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT'].includes(codeOf(error)))
    return {
      status: 504,
      code: 'upstream_timeout',
      message: `${who} was silent for ${timeoutMs / 1000} s (FLYWHEEL_UPSTREAM_TIMEOUT).`,
    };
  if (neverSent.has(codeOf(error)))
    return {
      status: 502,
      code: 'upstream_unreachable',
      message: `${who} at ${url} cannot be reached: ${reasonOf(error)}.`,
    };
  return {
    status: 502,
    code: 'upstream_failed',
    message: `${who} at ${url} broke off: ${reasonOf(error)}. It may have worked on the call.`,
  };
}

/** Node puts several failed addresses of one host into an AggregateError. */
function codeOf(error: unknown): string {
  if (error instanceof AggregateError) return codeOf(error.errors[0]);
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** Some providers take their key in the query. */
function withoutQuery(url: string): string {
  return url.split('?')[0] ?? url;
}
