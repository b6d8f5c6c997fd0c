import { holdsToken, tokenHeader } from '../auth/access.ts';

/** Headers that are about one connection, not about the call (RFC 9110, section 7.6.1). */
const hopByHop = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

/** Set anew by whoever sends; or meant for the gateway alone. */
const notForwarded = new Set([
  ...hopByHop,
  'host',
  'content-length',
  'accept-encoding',
  'expect',
  'cookie',
  'x-workload-id',
  'x-client-id',
  'x-conversation-id',
  'x-flywheel-log',
  tokenHeader,
]);

/** The length is set anew. */
const notReturned = new Set([...hopByHop, 'content-length']);

/** The application's headers for its own production model: all but those of the connection. */
export function toUpstreamHeaders(from: Headers, apiKey: string | null): Headers {
  const headers = without(from, notForwarded);
  if (holdsToken(headers.get('authorization'))) headers.delete('authorization');
  if (apiKey !== null && !headers.has('authorization')) headers.set('authorization', `Bearer ${apiKey}`);
  return identity(headers);
}

/** What a promoted model's provider gets: never the application's credentials. */
export function toProviderHeaders(from: Headers, apiKey: string | null, streams: boolean): Headers {
  const accept = streams ? 'text/event-stream' : 'application/json';
  const headers = new Headers({ 'content-type': 'application/json', accept });
  for (const name of ['traceparent', 'tracestate', 'x-request-id']) {
    const value = from.get(name);
    if (value !== null) headers.set(name, value);
  }
  if (apiKey !== null) headers.set('authorization', `Bearer ${apiKey}`);
  return identity(headers);
}

export function toReplyHeaders(from: Headers): Headers {
  return without(from, notReturned);
}

function without(from: Headers, names: ReadonlySet<string>): Headers {
  return new Headers([...from].filter(([name]) => !names.has(name)));
}

/** Asks for the plain bytes, so that they can be passed on as they are. */
function identity(headers: Headers): Headers {
  headers.set('accept-encoding', 'identity');
  return headers;
}
