import type { GuardrailVerdict, Spoken } from '../../domain/guardrails/guardrails.ts';
import { answerText, questionText } from '../../domain/guardrails/texts.ts';
import { isJsonObject, type JsonObject } from '../../domain/json.ts';
import type { CheckSaid } from '../../wiring/open-enforcement.ts';
import { reasonOf } from '../log.ts';
import { type GatewayError, isError, openAiError } from '../openai-error.ts';
import { blockedBody, blockedCompletion } from './blocked-answer.ts';
import type { GatewayCall } from './call.ts';
import { decoded } from './decoded.ts';
import type { Exchange } from './exchange.ts';
import type { GatewayOptions } from './gateway-options.ts';
import { headerOf } from './headers.ts';
import {
  clientClosedRequest,
  isStream,
  leave,
  ownHeaders,
  readResponse,
  refuse,
  toResponse,
} from './replies.ts';
import { StreamReader } from './stream-reader.ts';
import { callerGone, type UpstreamReply } from './upstream-client.ts';

/**
 * Characters of one text: several times the longest context of today. Matching keeps the gateway from everything else
 * for as long as it takes.
 */
const longestChecked = 4_000_000;

export interface GuardedQuestion {
  readonly call: GatewayCall;
  readonly request: Request;
  readonly check: CheckSaid;
  readonly routeVersion: number;
}

export interface GuardedReply {
  readonly reply: UpstreamReply;
  readonly exchange: Exchange;
  readonly request: Request;
  readonly check: CheckSaid;
}

/** The refusal of a question that may not be asked, or cannot be checked; null: it may go on. */
export async function stopQuestion(
  { call, request, check, routeVersion }: GuardedQuestion,
  options: GatewayOptions,
): Promise<Response | null> {
  const strange = strangelySpelt(call.body);
  if (strange !== undefined) return refuse(misspelt(strange), options, routeVersion);
  const { messages } = call.body;
  const text = questionText(Array.isArray(messages) ? messages : []);
  const verdict = await hold(check, 'question', text, request.signal, options);
  if (verdict === callerGone) {
    options.counts.cancelled += 1;
    return new Response(null, { status: clientClosedRequest });
  }
  if (isError(verdict)) return refuse(verdict, options, routeVersion);
  if (verdict.allowed) return null;
  options.counts.blockedQuestions += 1;
  const { workloadId, clientId } = call;
  const { rule, detail } = verdict;
  options.log.info('question_blocked', {
    workload: workloadId,
    client: clientId,
    route: routeVersion,
    rule,
    detail,
  });
  const response = openAiError(questionBlocked(call));
  response.headers.set('x-flywheel-route', String(routeVersion));
  response.headers.set('x-flywheel-blocked', 'question');
  return response;
}

/** An answer that has come whole, also of a stream, and goes out once it was checked: as it came, or not at all. */
export async function guardedReply(
  { reply, exchange, request, check }: GuardedReply,
  options: GatewayOptions,
): Promise<Response> {
  const { target } = exchange;
  const { counts } = options;
  const bytes = await readAll(reply, exchange, request, options);
  if (bytes === callerGone) return leave(exchange, options);
  if (isError(bytes)) return refuse(bytes, options, target.routeVersion);
  const completion = await readCompletion(reply, bytes);
  const text = completion && answerText(completion);
  if (completion === null || text === null) return refuse(unreadable, options, target.routeVersion);
  const verdict = await hold(check, 'answer', text, request.signal, options);
  if (verdict === callerGone) return leave(exchange, options);
  if (isError(verdict)) return refuse(verdict, options, target.routeVersion);
  if (verdict.allowed) {
    counts.answered += 1;
    return toResponse(reply, bytes, target, exchange.keep({ status: reply.status, response: completion }));
  }
  counts.blockedAnswers += 1;
  const instead = blockedCompletion(completion);
  const recordId = exchange.keep({
    ...{ status: reply.status, response: instead },
    blocked: { rule: verdict.rule, detail: verdict.detail },
  });
  const streams = isStream(reply);
  const headers = {
    'content-type': streams ? 'text/event-stream; charset=utf-8' : 'application/json',
    'x-flywheel-blocked': 'answer',
    ...ownHeaders(target, recordId),
  };
  return new Response(blockedBody(instead, streams), { status: reply.status, headers });
}

/** What cannot be checked is not let through. */
async function hold(
  check: CheckSaid,
  spoken: Spoken,
  text: string,
  gone: AbortSignal,
  { log }: GatewayOptions,
): Promise<GuardrailVerdict | GatewayError | typeof callerGone> {
  if (text.length > longestChecked) return spoken === 'question' ? questionTooLong : answerTooLong;
  try {
    return await check(spoken, text, gone);
  } catch (error) {
    if (gone.aborted) return callerGone;
    log.warn('guardrails_failed', { of: spoken, reason: reasonOf(error) });
    const asked = spoken === 'answer' ? ' The model has answered, and may have been paid.' : '';
    return {
      status: 503,
      code: 'guardrails_unavailable',
      message: `The ${spoken} could not be checked against the workload's guardrails, so it is not passed on.${asked} Try again in a moment.`,
    };
  }
}

async function readAll(
  reply: UpstreamReply,
  { target }: Exchange,
  request: Request,
  { maxBodyBytes, upstreams }: GatewayOptions,
): Promise<Uint8Array<ArrayBuffer> | GatewayError | typeof callerGone> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of reply.body as AsyncIterable<Uint8Array>) {
      size += chunk.length;
      // Leaving the loop hangs up on the upstream.
      if (size > maxBodyBytes) return tooLong(maxBodyBytes);
      chunks.push(chunk);
    }
    return new Uint8Array(Buffer.concat(chunks));
  } catch (error) {
    return request.signal.aborted ? callerGone : upstreams.explain(target, error);
  }
}

/** Null for what does not end, or is no completion. */
async function readCompletion(
  reply: UpstreamReply,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<JsonObject | null> {
  if (!isStream(reply)) return readResponse(bytes, reply.headers);
  const plain = await decoded(bytes, headerOf(reply.headers, 'content-encoding')).catch(() => null);
  if (plain === null) return null;
  const reader = new StreamReader(Number.POSITIVE_INFINITY);
  reader.add(plain);
  reader.finish();
  const { ended, completion } = reader.seen();
  return ended ? completion : null;
}

function questionBlocked({ workloadId }: GatewayCall): GatewayError {
  return {
    status: 400,
    code: 'content_filter',
    param: 'messages',
    message: `The guardrails of workload "${workloadId}" do not let this question through.`,
  };
}

/**
 * Servers written in Go read `Messages` and `meſſages` as `messages`, after which the question that was checked is
 * another one.
 */
function strangelySpelt(body: JsonObject): string | undefined {
  const messages = Array.isArray(body.messages) ? body.messages.filter(isJsonObject) : [];
  const names = [body, ...messages].flatMap((object) => Object.keys(object));
  return names.find((name) => !checkedNames.has(name) && checkedNames.has(folded(name)));
}

const checkedNames: ReadonlySet<string> = new Set(['messages', 'role', 'content']);

/** Both ways: `ſ` is a small letter whose capital is S, the Kelvin sign a capital whose small letter is k. */
function folded(name: string): string {
  return name.toUpperCase().toLowerCase();
}

function misspelt(name: string): GatewayError {
  const message = `"${name}" must be spelt "${folded(name)}", or it cannot be told what the model reads.`;
  return { status: 400, code: 'invalid_request', param: name, message };
}

const unreadable: GatewayError = {
  status: 502,
  code: 'unchecked_answer',
  message:
    "The model's answer is no whole chat completion, so it could not be checked against the workload's guardrails.",
};

const questionTooLong: GatewayError = {
  status: 413,
  code: 'unchecked_question',
  message: `The question has more than ${longestChecked} characters, too many to be checked against the workload's guardrails.`,
};

const answerTooLong: GatewayError = {
  status: 502,
  code: 'unchecked_answer',
  message: `The model's answer has more than ${longestChecked} characters, too many to be checked against the workload's guardrails.`,
};

function tooLong(maxBytes: number): GatewayError {
  return {
    status: 502,
    code: 'unchecked_answer',
    message: `The model's answer has more than ${maxBytes} bytes (FLYWHEEL_MAX_BODY_BYTES), too many to be checked against the workload's guardrails.`,
  };
}
