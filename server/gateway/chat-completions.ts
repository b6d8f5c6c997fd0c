import { isError } from '../openai-error.ts';
import { type GatewayCall, readCall } from './call.ts';
import { Exchange } from './exchange.ts';
import type { GatewayOptions, IncomingCall } from './gateway-options.ts';
import { guardedReply, stopQuestion } from './guarded.ts';
import { passThrough } from './pass-through.ts';
import {
  clientClosedRequest,
  isEncoded,
  isOk,
  isStream,
  leave,
  readResponse,
  refuse,
  toResponse,
} from './replies.ts';
import { StreamReader } from './stream-reader.ts';
import { chooseTarget } from './target.ts';
import { callerGone, type UpstreamReply } from './upstream-client.ts';

/**
 * `POST /v1/chat/completions`: route → ask → reply untouched → record. The caller waits for nothing but the
 * model; the record is written behind its back. Where the workload's guardrails are enforced, the question is checked
 * before anybody is asked, and the answer before anybody gets it.
 */
export async function chatCompletions(incoming: IncomingCall, options: GatewayOptions): Promise<Response> {
  const { request, caller } = incoming;
  options.counts.calls += 1;
  const call = await readCall(request, caller, options.maxBodyBytes);
  if (isError(call)) return refuse(call, options);
  if (call.fresh) await options.routes.refresh();
  const route = call.workloadId === null ? null : options.routes.get(call.workloadId);
  const check = call.workloadId === null ? null : options.guarded(call.workloadId);
  if (check !== null) {
    const stopped = await stopQuestion({ call, request, check, routeVersion: route?.version ?? 0 }, options);
    if (stopped !== null) return stopped;
  }
  const target = await chooseTarget(check === null ? call : asRead(call), request, route, options);
  if (isError(target)) return refuse(target, options, route?.version);

  const exchange = new Exchange(call, target, options);
  const reply = await options.upstreams.send(target, request.signal);
  if (reply === callerGone) return leave(exchange, options);
  if (isError(reply)) return refuse(reply, options, target.routeVersion);
  if (check !== null && isOk(reply)) return guardedReply({ reply, exchange, request, check }, options);
  return isStream(reply)
    ? streamed(reply, exchange, incoming, options)
    : whole(reply, exchange, incoming, options);
}

/** Exactly what was checked: of two equal names, or of what is no JSON to others, the model must not read another. */
function asRead(call: GatewayCall): GatewayCall {
  return { ...call, bytes: new TextEncoder().encode(JSON.stringify(call.body)) };
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
