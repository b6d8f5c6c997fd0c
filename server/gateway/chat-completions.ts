import { performance } from 'node:perf_hooks';
import type { Caller } from '../auth/access.ts';
import type { Journal } from '../journal/journal.ts';
import { type Log, reasonOf } from '../log.ts';
import { type GatewayError, isError, openAiError } from '../openai-error.ts';
import type { RouteTable } from '../routes/route-table.ts';
import { type GatewayCall, readCall } from './call.ts';
import type { CallCounts } from './counts.ts';
import { toReplyHeaders } from './headers.ts';
import { chooseTarget, type Target, type TargetOptions } from './target.ts';
import { toRecord } from './to-record.ts';

export interface GatewayOptions extends TargetOptions {
  readonly routes: Pick<RouteTable, 'get' | 'refresh'>;
  readonly journal: Pick<Journal, 'append'>;
  readonly counts: CallCounts;
  readonly log: Log;
}

/** `fetch` itself waits no longer than this for a reply to begin. */
const replyTimeoutMs = 300_000;

/**
 * `POST /v1/chat/completions`: route → ask → reply untouched → record. The caller waits for nothing but the
 * model; the record is written behind its back.
 */
export async function chatCompletions(
  request: Request,
  caller: Caller,
  options: GatewayOptions,
): Promise<Response> {
  options.counts.calls += 1;
  const call = await readCall(request, caller);
  if (isError(call)) return refuse(call, options);
  if (call.fresh) await options.routes.refresh();
  const route = call.workloadId === null ? null : options.routes.get(call.workloadId);
  const target = await chooseTarget(call, request.headers, route, options);
  if (isError(target)) return refuse(target, options, route?.version);

  const startedAt = new Date();
  const startedMs = performance.now();
  const reply = await ask(target, request.signal, options);
  if (isError(reply)) return refuse(reply, options, target.routeVersion);
  const latencyMs = Math.round(performance.now() - startedMs);

  const recordId = keep({ call, target, ...reply, startedAt, latencyMs }, options);
  options.log.info('call', {
    workload: call.workloadId,
    client: call.clientId,
    route: target.routeVersion,
    model: target.model,
    status: reply.status,
    latencyMs,
    record: recordId,
  });
  return toReply(reply, target, recordId);
}

interface Reply {
  readonly status: number;
  readonly statusText: string;
  readonly headers: Headers;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

async function ask(
  target: Target,
  gone: AbortSignal,
  options: GatewayOptions,
): Promise<Reply | GatewayError> {
  const limit = AbortSignal.timeout(replyTimeoutMs);
  try {
    const response = await fetch(target.url, {
      method: 'POST',
      headers: target.headers,
      body: target.body,
      // A redirect is the caller's to judge; following it could carry credentials elsewhere.
      redirect: 'manual',
      // A caller who hung up pays for no further tokens.
      signal: AbortSignal.any([gone, limit]),
    });
    const bytes = new Uint8Array(await response.arrayBuffer());
    return { status: response.status, statusText: response.statusText, headers: response.headers, bytes };
  } catch (error) {
    const who =
      target.responseSource === 'flywheel' ? `The promoted model "${target.model}"` : 'The upstream';
    options.log.warn('upstream_failed', { url: withoutQuery(target.url), reason: reasonOf(error) });
    if (limit.aborted)
      return {
        status: 504,
        code: 'upstream_timeout',
        message: `${who} gave no answer within ${replyTimeoutMs / 1000} s.`,
      };
    return {
      status: 502,
      code: 'upstream_unreachable',
      message: `${who} at ${withoutQuery(target.url)} cannot be reached: ${reasonOf(error)}.`,
    };
  }
}

interface Outcome extends Reply {
  readonly call: GatewayCall;
  readonly target: Target;
  readonly startedAt: Date;
  readonly latencyMs: number;
}

/** Makes the record of a call that was answered; a failed one has no answer to learn from and is counted. */
function keep(outcome: Outcome, { journal, counts, log }: GatewayOptions): string | null {
  const { call, status } = outcome;
  if (status < 200 || status > 299) {
    counts.failed += 1;
    return null;
  }
  counts.answered += 1;
  if (call.workloadId === null || !call.logged) {
    counts.unlogged += 1;
    return null;
  }
  const parsed = toRecord({ ...outcome, workloadId: call.workloadId });
  if (!parsed.ok) {
    counts.unusable += 1;
    log.warn('unusable_record', { reason: parsed.reason, detail: parsed.detail });
    return null;
  }
  return journal.append(parsed.record) ? parsed.record.id : null;
}

function toReply(reply: Reply, target: Target, recordId: string | null): Response {
  const headers = toReplyHeaders(reply.headers);
  headers.set('x-flywheel-route', String(target.routeVersion));
  if (target.model !== null) headers.set('x-flywheel-model', encodeURI(target.model));
  if (recordId !== null) headers.set('x-flywheel-record-id', encodeURI(recordId));
  // The statuses that may not have a body refuse even an empty one.
  const body = reply.bytes.length > 0 ? reply.bytes : null;
  return new Response(body, { status: reply.status, statusText: reply.statusText, headers });
}

function refuse(error: GatewayError, { counts }: GatewayOptions, routeVersion = 0): Response {
  counts.failed += 1;
  const response = openAiError(error);
  response.headers.set('x-flywheel-route', String(routeVersion));
  return response;
}

/** Some providers take their key in the query. */
function withoutQuery(url: string): string {
  return url.split('?')[0] ?? url;
}
