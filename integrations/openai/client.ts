import OpenAI from 'openai';
import type { z } from 'zod';
import { isJsonObject } from '../../domain/json.ts';
import { timedOut, unlike } from '../http/errors.ts';
import { type Traced, traceHeaders } from '../http/trace-headers.ts';
import { toFlywheelError } from './errors.ts';

/** Where an OpenAI-dialect endpoint is and how it is entered. */
export interface ProviderSettings extends Traced {
  /** Its name in candidates.yaml; used in error messages. */
  readonly name: string;
  /** Ends in the version: `http://127.0.0.1:8090/v1`. */
  readonly baseUrl: string;
  readonly apiKey: string | null;
}

/** What the package takes with each request. */
export interface RequestOptions {
  readonly signal: AbortSignal;
  readonly timeout: number;
}

export interface Call<T> {
  /** Verb phrase for error messages, such as `list models`. */
  readonly doing: string;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** What the reply must be; the rest of the code never sees the foreign shape. */
  readonly reply: z.ZodType<T>;
  readonly send: (openai: OpenAI, options: RequestOptions) => PromiseLike<unknown>;
}

export interface Client {
  readonly baseUrl: string;
  /** One request: deadline, translation of errors, parsed reply. An abort rejects with the signal's own reason. */
  call<T>(call: Call<T>): Promise<T>;
}

export function createClient(settings: ProviderSettings): Client {
  const openai = new OpenAI({
    baseURL: settings.baseUrl,
    // Every setting is given, so that an OPENAI_* variable meant for one provider never reaches another.
    apiKey: settings.apiKey ?? 'none',
    adminAPIKey: null,
    organization: null,
    project: null,
    webhookSecret: null,
    ...(settings.apiKey === null ? { defaultHeaders: { Authorization: null } } : {}),
    // Repeating is the caller's decision: it knows what is idempotent, and Temporal counts the attempts.
    maxRetries: 0,
    fetch: async (input, init) => withNestedErrors(await fetch(input, traced(init, settings))),
    // The package's debug log prints prompts.
    logLevel: 'off',
  });
  return { baseUrl: settings.baseUrl, call: (call) => send(openai, settings, call) };
}

async function send<T>(
  openai: OpenAI,
  { name: provider, apiKey }: ProviderSettings,
  call: Call<T>,
): Promise<T> {
  const name = { provider, doing: call.doing, apiKey };
  // The package's own time-out ends with the headers: a body that never comes would hang for ever.
  const deadline = AbortSignal.timeout(call.timeoutMs);
  const signal = call.signal ? AbortSignal.any([call.signal, deadline]) : deadline;
  let reply: unknown;
  try {
    reply = await call.send(openai, { signal, timeout: call.timeoutMs });
  } catch (error) {
    call.signal?.throwIfAborted();
    throw deadline.aborted ? timedOut(name, call.timeoutMs) : toFlywheelError(error, name);
  }
  const parsed = call.reply.safeParse(reply);
  if (!parsed.success) throw unlike(parsed.error, name);
  return parsed.data;
}

function traced(init: RequestInit | undefined, settings: Traced): RequestInit {
  const headers = new Headers(init?.headers);
  for (const [name, value] of Object.entries(traceHeaders(settings))) headers.set(name, value);
  return { ...init, headers };
}

/**
 * The package reads a refusal from `error` alone. vLLM and NIMs, which put its fields at the top, and FastAPI's
 * `detail` would be "400 status code (no body)".
 */
async function withNestedErrors(reply: Response): Promise<Response> {
  if (reply.ok || !reply.headers.get('content-type')?.includes('json')) return reply;
  const text = await reply.text();
  const { status, headers } = reply;
  return new Response(nested(text), { status, headers });
}

function nested(text: string): string {
  try {
    const body: unknown = JSON.parse(text);
    if (!isJsonObject(body) || body['error'] !== undefined) return text;
    const { message, detail } = body;
    const told = message ?? (typeof detail === 'string' ? detail : JSON.stringify(detail));
    return told === undefined ? text : JSON.stringify({ error: { ...body, message: told } });
  } catch {
    return text;
  }
}
