import { isJsonObject, type JsonObject } from '../../domain/json.ts';
import { type GatewayError, openAiError } from '../openai-error.ts';
import type { CallCounts } from './counts.ts';
import { decoded } from './decoded.ts';
import type { Exchange } from './exchange.ts';
import { type HeaderRecord, headerOf, type ReceivedHeaders, toReplyHeaders } from './headers.ts';
import type { Target } from './target.ts';
import type { UpstreamReply } from './upstream-client.ts';

interface Counting {
  readonly counts: CallCounts;
}

/** For a caller who is not there any more: nginx's number, which only our log ever sees. */
export const clientClosedRequest = 499;

/** The upstream's reply, whatever it is, with our own headers beside its. */
export function toResponse(
  reply: UpstreamReply,
  body: ReadableStream<Uint8Array> | Uint8Array<ArrayBuffer> | null,
  target: Target,
  recordId: string | null,
): Response {
  const headers = toReplyHeaders(reply.headers, ownHeaders(target, recordId));
  return new Response(body, { status: reply.status, headers });
}

export function ownHeaders(target: Target, recordId: string | null): HeaderRecord {
  return {
    'x-flywheel-route': String(target.routeVersion),
    ...(target.model !== null && { 'x-flywheel-model': encodeURI(target.model) }),
    ...(target.fallback !== undefined && { 'x-flywheel-fallback': target.fallback }),
    ...(recordId !== null && { 'x-flywheel-record-id': recordId }),
  };
}

/** The caller is not there any more. */
export function leave(exchange: Exchange, { counts }: Counting): Response {
  counts.cancelled += 1;
  exchange.note('call_cancelled', clientClosedRequest);
  return new Response(null, { status: clientClosedRequest });
}

export function refuse(error: GatewayError, { counts }: Counting, routeVersion = 0): Response {
  counts.failed += 1;
  const response = openAiError(error);
  response.headers.set('x-flywheel-route', String(routeVersion));
  return response;
}

export function isOk({ status }: UpstreamReply): boolean {
  return status >= 200 && status <= 299;
}

export function isStream(reply: UpstreamReply): boolean {
  return isOk(reply) && /^text\/event-stream\b/i.test(headerOf(reply.headers, 'content-type') ?? '');
}

export function isEncoded(headers: ReceivedHeaders): boolean {
  return (headerOf(headers, 'content-encoding') ?? 'identity').toLowerCase() !== 'identity';
}

/** A completion that came whole; null where it is none. */
export async function readResponse(bytes: Uint8Array, headers: ReceivedHeaders): Promise<JsonObject | null> {
  try {
    const text = new TextDecoder().decode(await decoded(bytes, headerOf(headers, 'content-encoding')));
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : null;
  } catch {
    return null;
  }
}
