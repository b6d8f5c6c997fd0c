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

/** Headers by their name in lower case. */
export type HeaderRecord = Readonly<Record<string, string>>;

/** As undici gives them: a list where one came several times. */
export type ReceivedHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** The application's headers for its own production model: all but those of the connection. */
export function toUpstreamHeaders(from: Headers, apiKey: string | null): HeaderRecord {
  const headers: Record<string, string> = {};
  for (const [name, value] of from) if (!notForwarded.has(name)) headers[name] = value;
  if (holdsToken(headers['authorization'] ?? null)) delete headers['authorization'];
  if (apiKey !== null) headers['authorization'] ??= `Bearer ${apiKey}`;
  return { ...headers, ...plainBytes };
}

/** What a promoted model's provider gets: never the application's credentials. */
export function toProviderHeaders(from: Headers, apiKey: string | null, streams: boolean): HeaderRecord {
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    accept: streams ? 'text/event-stream' : 'application/json',
  };
  for (const name of ['traceparent', 'tracestate', 'x-request-id']) {
    const value = from.get(name);
    if (value !== null) headers[name] = value;
  }
  if (apiKey !== null) headers['authorization'] = `Bearer ${apiKey}`;
  return { ...headers, ...plainBytes };
}

/** What the caller gets of a reply's headers, and `own`. A plain record where it can be: it is written as it is. */
export function toReplyHeaders(from: ReceivedHeaders, own: HeaderRecord): Headers | HeaderRecord {
  const plain: Record<string, string> = {};
  const repeated: [string, string][] = [];
  for (const [name, value] of Object.entries(from)) {
    if (value === undefined || notReturned.has(name)) continue;
    if (typeof value === 'string') plain[name] = value;
    else for (const each of value) repeated.push([name, each]);
  }
  Object.assign(plain, own);
  if (repeated.length === 0) return plain;
  const headers = new Headers(plain);
  for (const [name, value] of repeated) headers.append(name, value);
  return headers;
}

/** One header's value; several of one name are one, by commas (RFC 9110, section 5.3). */
export function headerOf(headers: ReceivedHeaders, name: string): string | null {
  const value = headers[name];
  return (Array.isArray(value) ? value.join(', ') : value) ?? null;
}

/** Asks for bytes that can be passed on as they are. */
const plainBytes = { 'accept-encoding': 'identity' };
