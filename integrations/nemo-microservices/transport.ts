import { setTimeout as pause } from 'node:timers/promises';
import type { z } from 'zod';
import { UnavailableError } from '../../domain/errors.ts';
import { type CallName, timedOut, unreachable, unreadable } from '../http/errors.ts';
import { traceHeaders } from '../http/trace-headers.ts';
import { toFlywheelError } from './errors.ts';
import type { NemoSettings } from './settings.ts';

export interface Call {
  /** Verb phrase for error messages, such as `list models`. */
  readonly doing: string;
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Below the base URL; names in it are encoded by whoever makes it (`segment`). */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** JSON, or a form as `URLSearchParams`. */
  readonly body?: unknown;
  readonly timeoutMs?: number;
  /** Whether a call that may have arrived can be sent again. GET and DELETE always can. */
  readonly repeatable?: boolean;
}

/** One connection to a host: deadlines, retries, translation of errors. Every service is called through one. */
export interface Transport {
  readonly provider: string;
  /** A call as its errors name it. */
  nameOf(doing: string): CallName;
  /** The reply's JSON in the schema's form; the rest of the code never sees the foreign one. */
  json<T>(call: Call, reply: z.ZodType<T>): Promise<T>;
  bytes(call: Call): Promise<Uint8Array>;
  /** For packages that bring their own calls: the same deadline, credentials and retries. */
  readonly fetch: typeof fetch;
}

const usualTimeoutMs = 30_000;
/** A transfer of a dataset or an archive over a slow line. */
export const transferTimeoutMs = 10 * 60_000;

/** Short and few: Temporal repeats the step, and knows for how long. */
const attempts = 3;
const backoffMs = 500;
/** Waiting longer inside a call would look like a hang; the caller is told how long to wait instead. */
const longestWaitMs = 5_000;

export function createTransport(settings: NemoSettings, baseUrl: string): Transport {
  const { name: provider } = settings;
  const root = baseUrl.replace(/\/+$/, '');
  const credentials: Record<string, string> =
    settings.apiKey === null ? {} : { authorization: `Bearer ${settings.apiKey}` };
  const nameOf = (doing: string): CallName => ({ provider, doing, apiKey: settings.apiKey });

  async function send(call: Call): Promise<Response> {
    const name = nameOf(call.doing);
    const query = new URLSearchParams(call.query).toString();
    const url = `${root}${call.path}${query === '' ? '' : `?${query}`}`;
    const { timeoutMs = usualTimeoutMs, method, body } = call;
    const isJson = body !== undefined && !(body instanceof URLSearchParams);
    const init = {
      method,
      headers: {
        ...credentials,
        ...traceHeaders(settings),
        accept: 'application/json, application/zip',
        ...(isJson && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: isJson ? JSON.stringify(body) : body }),
    };
    const reply = await once(url, init, timeoutMs, name);
    if (reply.ok) return reply;
    throw toFlywheelError({ status: reply.status, headers: reply.headers, text: await reply.text() }, name);
  }

  return {
    provider,
    nameOf,
    async json(call, schema) {
      const name = nameOf(call.doing);
      const text = await repeated(mayRepeat(call), async () => (await send(call)).text());
      const parsed = schema.safeParse(readJson(text, name));
      if (parsed.success) return parsed.data;
      const [issue] = parsed.error.issues;
      throw unreadable(`the reply is not one: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`, name);
    },
    bytes: (call) =>
      repeated(mayRepeat(call), async () => new Uint8Array(await (await send(call)).arrayBuffer())),
    fetch: (input, init) => transfer(input, init, { root, credentials, settings }),
  };
}

/** One part of a path. `@` and `+` belong to names and some servers do not decode them, so they stay. */
export function segment(name: string): string {
  return encodeURIComponent(name).replaceAll('%40', '@').replaceAll('%2B', '+');
}

/** The path of something that is addressed by `namespace/name`. */
export function itemPath(collection: string, fullName: string): string {
  const slash = fullName.indexOf('/');
  return `${collection}/${segment(fullName.slice(0, slash))}/${segment(fullName.slice(slash + 1))}`;
}

async function once(url: string, init: RequestInit, timeoutMs: number, name: CallName): Promise<Response> {
  const deadline = AbortSignal.timeout(timeoutMs);
  const signal = init.signal ? AbortSignal.any([init.signal, deadline]) : deadline;
  try {
    const reply = await fetch(url, { ...init, signal });
    // The body too, before the deadline: one that never comes would hang for ever.
    return new Response(await reply.arrayBuffer().then((body) => (body.byteLength === 0 ? null : body)), {
      status: reply.status,
      headers: reply.headers,
    });
  } catch (error) {
    init.signal?.throwIfAborted();
    throw deadline.aborted ? timedOut(name, timeoutMs) : unreachable(error, name);
  }
}

function readJson(text: string, name: CallName): unknown {
  // Some deletes answer with nothing.
  if (text.trim() === '') return null;
  try {
    return JSON.parse(text);
  } catch {
    throw unreadable('the reply is not JSON', name);
  }
}

function mayRepeat({ method, repeatable }: Call): boolean {
  return repeatable ?? (method === 'GET' || method === 'DELETE');
}

/** Sends again what may be sent again. A create that may have arrived is left to who can look for its result. */
async function repeated<T>(may: boolean, send: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await send();
    } catch (error) {
      const waitMs = waitBefore(error, attempt);
      // A busy service has not done it: it said so.
      const safe = may || (error instanceof UnavailableError && error.kind === 'busy');
      if (!safe || attempt === attempts || waitMs === null) throw error;
      await pause(waitMs);
    }
  }
}

function waitBefore(error: unknown, attempt: number): number | null {
  if (!(error instanceof UnavailableError) || error.kind === 'timeout') return null;
  const waitMs = error.retryAfterMs ?? backoffMs * 2 ** (attempt - 1);
  return waitMs > longestWaitMs ? null : waitMs;
}

/**
 * For `@huggingface/hub`. Credentials go to the Data Store alone: an upload's address may be elsewhere and takes
 * none, and without a token the package sends `Bearer undefined`.
 */
async function transfer(
  input: Parameters<typeof fetch>[0],
  init: RequestInit | undefined,
  host: {
    readonly root: string;
    readonly credentials: Readonly<Record<string, string>>;
    readonly settings: NemoSettings;
  },
): Promise<Response> {
  const { root, credentials, settings } = host;
  const url = input instanceof Request ? input.url : String(input);
  const headers = new Headers(init?.headers);
  headers.delete('authorization');
  const isHub = url.startsWith(`${root}/v1/hf/`);
  if (isHub) setAll(headers, credentials);
  const method = init?.method ?? 'GET';
  const doing = `${method} ${new URL(url).pathname}`;
  const name = { provider: settings.name, doing, apiKey: settings.apiKey };
  // Contents are named by their hash and the caller looks before a commit, so a transfer may be repeated.
  const may = method === 'GET' || method === 'HEAD' || method === 'PUT' || url.endsWith('/objects/batch');
  return repeated(may, async () => {
    // An address elsewhere may be signed, with the headers that it takes.
    if (isHub) setAll(headers, traceHeaders(settings));
    const reply = await once(url, { ...init, headers }, transferTimeoutMs, name);
    if (reply.status < 500 && reply.status !== 429) return reply;
    throw toFlywheelError({ status: reply.status, headers: reply.headers, text: await reply.text() }, name);
  });
}

function setAll(headers: Headers, values: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(values)) headers.set(name, value);
}
