import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { JsonObject } from '../domain/json.ts';
import { type InsertResult, type RecordStore, StoreError } from './record.ts';

export interface GatewayOptions {
  /** Root of the gateway, without `/v1`. */
  readonly url: string;
  /** A token of role `ingest`; none where the gateway asks for none. */
  readonly token?: string;
  /** Silence longer than this counts as no answer. */
  readonly timeoutMs?: number;
}

const defaultTimeoutMs = 10_000;

/** The gateway's `POST /v1/records` and `POST /v1/feedback`. */
export function createGatewayStore({
  url,
  token,
  timeoutMs = defaultTimeoutMs,
}: GatewayOptions): Required<RecordStore> {
  const base = url.replace(/\/+(v1\/*)?$/, '');
  const send = (path: string, field: string, items: readonly JsonObject[]) =>
    post(new URL(`${base}${path}`), JSON.stringify({ [field]: items }), token ?? null, timeoutMs);
  return {
    insert: (records) => send('/v1/records', 'records', records as readonly JsonObject[]),
    insertFeedback: (feedback) => send('/v1/feedback', 'feedback', feedback),
  };
}

/**
 * Node's own client and not `fetch`: the sockets of a gateway that hangs must not keep the application's process
 * from ending.
 */
function post(url: URL, body: string, token: string | null, timeoutMs: number): Promise<InsertResult> {
  return new Promise((resolve, reject) => {
    const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        ...(token !== null && { authorization: `Bearer ${token}` }),
      },
      timeout: timeoutMs,
    });
    request.on('socket', (socket) => socket.unref());
    request.on('timeout', () => request.destroy(new Error(`no answer within ${timeoutMs} ms`)));
    request.on('error', (error) =>
      reject(
        new StoreError(`The gateway at ${url.origin} cannot be reached: ${error.message}.`, { cause: error }),
      ),
    );
    request.on('response', (response) => {
      readAnswer(url, response).then(resolve, reject);
    });
    request.end(body);
  });
}

interface Answer {
  readonly accepted?: number;
  readonly stored?: number;
  readonly duplicate?: number;
  readonly results?: readonly { readonly status: string; readonly reason?: string }[];
  readonly error?: { readonly message?: string };
}

async function readAnswer(url: URL, response: IncomingMessage): Promise<InsertResult> {
  const status = response.statusCode ?? 0;
  const answer = await readJson(url, response);
  // 400 with results: nothing in the batch can be used, and each item says why.
  if (status < 300 || (status === 400 && answer.results !== undefined)) return toResult(answer);
  throw new StoreError(
    `The gateway at ${url.origin} answered ${status} to ${url.pathname}: ${answer.error?.message ?? 'no reason given'}.`,
    {
      tooLarge: status === 413,
      // A missing token or a wrong address can be mended while the application runs.
      retryable: status !== 400 && status !== 413 && status !== 422,
      retryAfterMs: Number(response.headers['retry-after'] ?? 0) * 1000 || null,
    },
  );
}

async function readJson(url: URL, response: IncomingMessage): Promise<Answer> {
  try {
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    return (response.headers['content-type'] ?? '').includes('json') ? (JSON.parse(text) as Answer) : {};
  } catch (cause) {
    throw new StoreError(`The answer of the gateway at ${url.origin} broke off.`, { cause });
  }
}

function toResult({ accepted, stored, duplicate, results = [] }: Answer): InsertResult {
  const rejected: Record<string, number> = {};
  for (const { status, reason = status } of results)
    if (status === 'rejected' || status === 'conflict') rejected[reason] = (rejected[reason] ?? 0) + 1;
  return { stored: accepted ?? stored ?? 0, duplicates: duplicate ?? 0, rejected };
}
