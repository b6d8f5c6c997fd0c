import { setTimeout as sleep } from 'node:timers/promises';
import type { z } from 'zod';
import { FlywheelError, RejectedError, UnavailableError } from '../../domain/errors.ts';
import { type CallName, timedOut, unlike, unreachable, unreadable } from '../http/errors.ts';
import { traceHeaders } from '../http/trace-headers.ts';
import { rejectedByFailure, toFlywheelError } from './errors.ts';
import type { NemoPlatformSettings } from './settings.ts';

/** Looking something up is quick; a busy machine was seen to take seconds. */
const usualTimeoutMs = 30_000;
/** Between the attempts of what may be repeated. Longer waits are the caller's, whose attempts are counted. */
const pausesMs = [200, 1_000];
const longestPauseMs = 5_000;

const missing: readonly string[] = ['not_found', 'model_not_found'];

export interface Call {
  /** Verb phrase for error messages, such as `list jobs`. */
  readonly doing: string;
  readonly method: 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE';
  /** Below the root, each part encoded: `/apis/jobs/v2/…`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number>>;
  readonly body?: unknown;
  /** Instead of `body`: read while it is sent, hence sent once. */
  readonly stream?: AsyncIterable<Uint8Array>;
  /** Of a POST or PATCH: that repeating it changes nothing. */
  readonly idempotent?: boolean;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** One platform: every request of ours goes through it. */
export interface Transport {
  /**
   * One request with a deadline, its errors translated, its reply parsed. What changes nothing when repeated
   * (GET, PUT, DELETE) is repeated twice when the platform does not answer or fails.
   */
  call<T>(call: Call & { readonly reply: z.ZodType<T> }): Promise<T>;
  /** Where a missing thing is an answer too: null for a 404. */
  find<T>(call: Call & { readonly reply: z.ZodType<T> }): Promise<T | null>;
  /** A reply that is read line by line. */
  lines(call: Call): AsyncIterable<string>;
  /** A reply that is read while it arrives. */
  bytes(call: Call): AsyncIterable<Uint8Array>;
  /** The platform's own clock, as its last answer told it: its times are compared with nothing else. */
  now(): number;
}

export function createTransport(settings: NemoPlatformSettings): Transport {
  return new HttpTransport(settings);
}

type Reader<R> = (response: Response) => Promise<R>;

class HttpTransport implements Transport {
  readonly #settings: NemoPlatformSettings;
  #skewMs = 0;

  constructor(settings: NemoPlatformSettings) {
    this.#settings = settings;
  }

  async call<T>(call: Call & { readonly reply: z.ZodType<T> }): Promise<T> {
    const text = await this.#repeated(call, (response) => response.text());
    const name = this.#nameOf(call);
    const parsed = call.reply.safeParse(parseJson(text, name));
    if (!parsed.success) throw unlike(parsed.error, name);
    return parsed.data;
  }

  async find<T>(call: Call & { readonly reply: z.ZodType<T> }): Promise<T | null> {
    try {
      return await this.call(call);
    } catch (error) {
      if (error instanceof RejectedError && missing.includes(error.code ?? '')) return null;
      throw error;
    }
  }

  async *lines(call: Call): AsyncIterable<string> {
    const decoder = new TextDecoder();
    let rest = '';
    for await (const chunk of this.bytes(call)) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      yield* lines;
    }
    rest += decoder.decode();
    if (rest !== '') yield rest;
  }

  async *bytes(call: Call): AsyncIterable<Uint8Array> {
    const body = await this.#repeated(call, async (response) => response.body);
    try {
      for await (const chunk of body ?? []) yield chunk;
    } catch (error) {
      call.signal?.throwIfAborted();
      throw unreachable(error, this.#nameOf(call));
    }
  }

  now(): number {
    return Date.now() + this.#skewMs;
  }

  async #repeated<R>(call: Call, read: Reader<R>): Promise<R> {
    const changes = (call.method === 'POST' || call.method === 'PATCH') && !call.idempotent;
    const repeatable = !changes && !call.stream;
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#once(call, read);
      } catch (error) {
        const pauseMs = repeatable ? pausesMs[attempt] : undefined;
        if (!(error instanceof UnavailableError) || pauseMs === undefined) throw error;
        const waitMs = error.retryAfterMs ?? pauseMs;
        if (waitMs > longestPauseMs || error.kind === 'timeout') throw error;
        await sleep(waitMs, undefined, call.signal && { signal: call.signal }).catch(() => {
          call.signal?.throwIfAborted();
        });
      }
    }
  }

  async #once<R>(call: Call, read: Reader<R>): Promise<R> {
    const answer = await this.#guarded(call, async (signal) => {
      const response = await this.#send(call, signal);
      return response.ok
        ? { value: await read(response) }
        : {
            refusal: { status: response.status, headers: response.headers, body: await response.text() },
          };
    });
    if ('value' in answer) return answer.value;
    const isBareFailure = answer.refusal.status === 500 && call.body !== undefined;
    if (isBareFailure && (await this.#failsAgain(call)))
      throw rejectedByFailure(call.body, this.#nameOf(call));
    throw toFlywheelError(answer.refusal, this.#nameOf(call));
  }

  /** Only where the platform is well otherwise: then it is the request that it cannot take. */
  async #failsAgain(call: Call): Promise<boolean> {
    const health: Call = { doing: 'tell its health', method: 'GET', path: '/health/ready' };
    const statusOf = (asked: Call) =>
      this.#guarded(asked, async (signal) => {
        const response = await this.#send(asked, signal);
        await response.body?.cancel();
        return response.status;
      });
    if ((await statusOf(health).catch(() => null)) !== 200) return false;
    return (await statusOf(call)) === 500;
  }

  async #send(call: Call, signal: AbortSignal): Promise<Response> {
    const { apiKey } = this.#settings;
    const response = await fetch(this.#urlOf(call), {
      method: call.method,
      signal,
      headers: {
        accept: 'application/json',
        ...traceHeaders(this.#settings),
        ...(apiKey !== null && { authorization: `Bearer ${apiKey}` }),
        ...(call.body !== undefined && { 'content-type': 'application/json' }),
        ...(call.stream && { 'content-type': 'application/octet-stream' }),
      },
      ...(call.body !== undefined && { body: JSON.stringify(call.body) }),
      ...(call.stream && { body: ReadableStream.from(call.stream), duplex: 'half' as const }),
    });
    const date = Date.parse(response.headers.get('date') ?? '');
    if (Number.isFinite(date)) this.#skewMs = date - Date.now();
    return response;
  }

  /** With the deadline, and whatever goes wrong translated. An abort rejects with the signal's own reason. */
  async #guarded<R>(call: Call, work: (signal: AbortSignal) => Promise<R>): Promise<R> {
    const timeoutMs = call.timeoutMs ?? usualTimeoutMs;
    const deadline = AbortSignal.timeout(timeoutMs);
    const signal = call.signal ? AbortSignal.any([call.signal, deadline]) : deadline;
    try {
      call.signal?.throwIfAborted();
      return await work(signal);
    } catch (error) {
      call.signal?.throwIfAborted();
      if (deadline.aborted) throw timedOut(this.#nameOf(call), timeoutMs);
      // What the body of an upload throws is its maker's own, such as a row that cannot be trained on.
      throw error instanceof FlywheelError ? error : unreachable(error, this.#nameOf(call));
    }
  }

  #urlOf({ path, query = {} }: Call): URL {
    const url = new URL(`${this.#settings.url.replace(/\/+$/, '')}${path}`);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, String(value));
    return url;
  }

  #nameOf({ doing }: Call): CallName {
    const { name: provider, apiKey } = this.#settings;
    return { provider, doing, apiKey };
  }
}

function parseJson(text: string, name: CallName): unknown {
  // What deletes answers 204, without a body.
  if (text === '') return null;
  try {
    return JSON.parse(text);
  } catch {
    throw unreadable('the reply is not JSON', name);
  }
}
