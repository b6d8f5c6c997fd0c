import { observeBody } from './observe-body.ts';
import { type Recorder, recordIdHeader } from './recorder.ts';

export type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

/**
 * The same `fetch`, whose answers to chat completions are recorded while the application reads them. Below the
 * client, so that `create`, `parse`, `stream` and `runTools` are all seen, as they went over the wire.
 */
export function observeFetch(fetch: Fetch, recorder: Recorder): Fetch {
  return async (input, init) => {
    const startedAt = new Date();
    const startedAtMs = performance.now();
    const response = await fetch(input, init);
    try {
      const request = requestText(input, init);
      if (request === null || !response.ok || typeof response.body?.getReader !== 'function') return response;
      if (isPrivate(init)) return response;
      return observed(response, response.body, recorder, { request, startedAt, startedAtMs });
    } catch (error) {
      recorder.failed(error);
      return response;
    }
  };
}

interface Call {
  readonly request: string;
  readonly startedAt: Date;
  readonly startedAtMs: number;
}

/** The body of a chat-completion request; null for every other one. */
function requestText(input: string | URL | Request, init: RequestInit | undefined): string | null {
  const { pathname } = new URL(input instanceof Request ? input.url : input);
  if (init?.method?.toUpperCase() !== 'POST' || !pathname.endsWith('/chat/completions')) return null;
  return typeof init.body === 'string' ? init.body : null;
}

/** The application's own wish, as the gateway knows it. */
function isPrivate(init: RequestInit | undefined): boolean {
  return new Headers(init?.headers).get('x-flywheel-log')?.toLowerCase() === 'off';
}

function observed(
  response: Response,
  body: ReadableStream<Uint8Array>,
  recorder: Recorder,
  call: Call,
): Response {
  const streamed = (response.headers.get('content-type') ?? '').includes('text/event-stream');
  const { recordId, finish } = recorder.begin(response.headers.get(recordIdHeader));
  // Without an id the gateway logged nothing, as of a call without `x-workload-id`.
  const isGateways = response.headers.has(recordIdHeader);
  const stream = observeBody(body, recorder.maxBytes, (seen) => {
    try {
      finish({ ...call, ...seen, streamed, isGateways, endedAtMs: performance.now() });
    } catch (error) {
      recorder.failed(error);
    }
  });
  const headers = new Headers(response.headers);
  headers.set(recordIdHeader, recordId);
  const { status, statusText } = response;
  const same = new Response(stream, { status, statusText, headers });
  // A response that was made, not fetched, has no address of its own; clients log it.
  return Object.defineProperty(same, 'url', { value: response.url });
}
