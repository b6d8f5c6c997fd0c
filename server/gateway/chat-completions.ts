import { isJsonObject, type JsonObject } from '../../domain/json.ts';
import type { Caller } from '../auth/access.ts';
import { type GatewayError, isError, openAiError } from '../openai-error.ts';
import type { RouteTable } from '../routes/route-table.ts';
import { readCall } from './call.ts';
import { decoded } from './decoded.ts';
import { Exchange, type ExchangeOptions } from './exchange.ts';
import { headerOf, type ReceivedHeaders, toReplyHeaders } from './headers.ts';
import { passThrough } from './pass-through.ts';
import { StreamReader } from './stream-reader.ts';
import { chooseTarget, type Target, type TargetOptions } from './target.ts';
import { callerGone, type UpstreamClient, type UpstreamReply } from './upstream-client.ts';

export interface GatewayOptions extends TargetOptions, ExchangeOptions {
  readonly routes: Pick<RouteTable, 'get' | 'refresh'>;
  readonly upstreams: UpstreamClient;
  /** Aborted when streams that are still open have to end. */
  readonly stopping: AbortSignal;
  /** Largest request, and how much of a streamed reply is read along for its record. */
  readonly maxBodyBytes: number;
}

export interface IncomingCall {
  readonly request: Request;
  readonly caller: Caller;
  /** Breaks the caller's connection. */
  readonly hangUp: () => void;
}

/** For a caller who is not there any more: nginx's number, which only our log ever sees. */
const clientClosedRequest = 499;

/**
 * `POST /v1/chat/completions`: route → ask → reply untouched → record. The caller waits for nothing but the
 * model; the record is written behind its back.
 */
export async function chatCompletions(incoming: IncomingCall, options: GatewayOptions): Promise<Response> {
  const { request, caller } = incoming;
  options.counts.calls += 1;
  const call = await readCall(request, caller, options.maxBodyBytes);
  if (isError(call)) return refuse(call, options);
  if (call.fresh) await options.routes.refresh();
  const route = call.workloadId === null ? null : options.routes.get(call.workloadId);
  const target = await chooseTarget(call, request, route, options);
  if (isError(target)) return refuse(target, options, route?.version);

  const exchange = new Exchange(call, target, options);
  const reply = await options.upstreams.send(target, request.signal);
  if (reply === callerGone) return leave(exchange, options);
  if (isError(reply)) return refuse(reply, options, target.routeVersion);
  return isStream(reply)
    ? streamed(reply, exchange, incoming, options)
    : whole(reply, exchange, incoming, options);
}

async function whole(
  reply: UpstreamReply,
  exchange: Exchange,
  { request }: IncomingCall,
  options: GatewayOptions,
): Promise<Response> {
  const { target } = exchange;
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = new Uint8Array(await reply.body.arrayBuffer());
  } catch (error) {
    if (request.signal.aborted) return leave(exchange, options);
    return refuse(options.upstreams.explain(target, error), options, target.routeVersion);
  }
  // The statuses that may not have a body refuse even an empty one.
  const body = bytes.length > 0 ? bytes : null;
  if (!isOk(reply)) {
    // A failed call has no answer to learn from.
    options.counts.failed += 1;
    exchange.note('call', reply.status);
    return toResponse(reply, body, target, null);
  }
  options.counts.answered += 1;
  const response = exchange.isLogged ? await readResponse(bytes, reply.headers) : null;
  return toResponse(reply, body, target, exchange.keep({ status: reply.status, response }));
}

/** Its record has to be promised before the answer is known: the id goes out with the reply's headers. */
function streamed(
  reply: UpstreamReply,
  exchange: Exchange,
  { request, hangUp }: IncomingCall,
  options: GatewayOptions,
): Response {
  const reader = new StreamReader(isEncoded(reply.headers) ? 0 : options.maxBodyBytes);
  let firstChunkMs: number | undefined;
  const body = passThrough({
    body: reply.body,
    gone: request.signal,
    stopping: options.stopping,
    hangUp,
    onChunk: (chunk) => {
      firstChunkMs ??= exchange.elapsedMs;
      reader.add(chunk);
    },
    onEnd: (outcome, error) => {
      const { ended, completion, flaw } = reader.seen(outcome === 'cancelled' ? 'cancelled' : null);
      const { counts, upstreams } = options;
      const answer = { status: reply.status, ...(firstChunkMs !== undefined && { firstChunkMs }) };
      // A stream that we could not read to its end may still have been whole for its caller.
      const answered = flaw === null ? ended : flaw !== 'error_event' && outcome === 'complete';
      if (answered) {
        counts.answered += 1;
        exchange.keep({ ...answer, response: completion });
      } else if (outcome === 'cancelled') {
        counts.cancelled += 1;
        // What was seen is kept, marked as cut off: curation sets it aside.
        if (completion !== null) exchange.keep({ ...answer, response: completion });
        else exchange.note('call_cancelled', clientClosedRequest);
      } else {
        counts.failed += 1;
        if (error !== undefined) upstreams.explain(exchange.target, error);
        exchange.note('stream_broken', reply.status);
      }
    },
  });
  return toResponse(reply, body, exchange.target, exchange.isLogged ? exchange.recordId : null);
}

function toResponse(
  reply: UpstreamReply,
  body: ReadableStream<Uint8Array> | Uint8Array<ArrayBuffer> | null,
  target: Target,
  recordId: string | null,
): Response {
  const headers = toReplyHeaders(reply.headers, {
    'x-flywheel-route': String(target.routeVersion),
    ...(target.model !== null && { 'x-flywheel-model': encodeURI(target.model) }),
    ...(target.fallback !== undefined && { 'x-flywheel-fallback': target.fallback }),
    ...(recordId !== null && { 'x-flywheel-record-id': recordId }),
  });
  return new Response(body, { status: reply.status, headers });
}

function leave(exchange: Exchange, { counts }: GatewayOptions): Response {
  counts.cancelled += 1;
  exchange.note('call_cancelled', clientClosedRequest);
  return new Response(null, { status: clientClosedRequest });
}

function refuse(error: GatewayError, { counts }: GatewayOptions, routeVersion = 0): Response {
  counts.failed += 1;
  const response = openAiError(error);
  response.headers.set('x-flywheel-route', String(routeVersion));
  return response;
}

function isOk({ status }: UpstreamReply): boolean {
  return status >= 200 && status <= 299;
}

function isStream(reply: UpstreamReply): boolean {
  return isOk(reply) && /^text\/event-stream\b/i.test(headerOf(reply.headers, 'content-type') ?? '');
}

function isEncoded(headers: ReceivedHeaders): boolean {
  return (headerOf(headers, 'content-encoding') ?? 'identity').toLowerCase() !== 'identity';
}

async function readResponse(bytes: Uint8Array, headers: ReceivedHeaders): Promise<JsonObject | null> {
  try {
    const text = new TextDecoder().decode(await decoded(bytes, headerOf(headers, 'content-encoding')));
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : null;
  } catch {
    return null;
  }
}
