import { afterEach, expect, test } from 'vitest';
import type { ChatRequest } from '../../../activities/ports/chat-model.ts';
import { createChatModel } from '../../../integrations/openai/chat-model.ts';
import { freePort } from '../../support/free-port.ts';
import { type Handler, respond, startHttpServer, type TestHttpServer } from '../../support/http-server.ts';

let server: TestHttpServer | undefined;
afterEach(() => server?.close());

const apiKey = 'sk-test-0123456789abcdef';
const request: ChatRequest = { model: 'm', body: { messages: [] }, timeoutMs: 30_000 };

async function setup(handler: Handler, key = apiKey) {
  server = await startHttpServer(handler);
  return createChatModel({ name: 'acme', baseUrl: `${server.url}/v1`, apiKey: key });
}

/** What the port throws when the server answers so. */
async function errorFor(status: number, error: object | string, headers: Record<string, string> = {}) {
  const body = typeof error === 'string' ? error : { error };
  const model = await setup((_, response) => respond(response, status, body, headers));
  return model.complete(request).then(
    () => expect.fail('the call succeeded'),
    (thrown: unknown) => thrown,
  );
}

const unavailable = { name: 'UnavailableError', retryable: true };
const rejected = { name: 'RejectedError', retryable: false };

test.each([
  [408, {}, { ...unavailable, kind: 'busy' }],
  [409, { code: 'device_busy' }, { ...unavailable, kind: 'busy' }],
  [409, { code: 'name_taken' }, { ...rejected, code: 'name_taken' }],
  [429, { code: 'rate_limit_exceeded' }, { ...unavailable, kind: 'busy' }],
  [429, { code: 'insufficient_quota' }, { ...rejected, code: 'insufficient_quota' }],
  [500, {}, { ...unavailable, kind: 'failing' }],
  [503, {}, { ...unavailable, kind: 'busy' }],
  [400, { code: 'context_length_exceeded' }, { ...rejected, code: 'context_length_exceeded' }],
  [
    400,
    { message: "This model's maximum context length is 512 tokens.", code: 400 },
    { ...rejected, code: 'context_length_exceeded' },
  ],
  [400, { code: 'content_policy_violation' }, { ...rejected, code: 'content_filter' }],
  [400, { code: 'invalid_value', message: 'temperature is too hot' }, { ...rejected, code: 'invalid_value' }],
  [401, { code: 'invalid_api_key' }, { ...rejected, code: 'unauthorized' }],
  [403, {}, { ...rejected, code: 'unauthorized' }],
  [404, { code: 'model_not_found' }, { ...rejected, code: 'model_not_found' }],
  [404, {}, { ...rejected, code: 'not_found' }],
  [422, {}, rejected],
])('%i %o becomes %o', async (status, error, expected) => {
  const thrown = await errorFor(status, error);

  expect(thrown).toMatchObject(expected);
});

test.each([
  [{ 'retry-after': '7' }, 7_000],
  [{ 'retry-after-ms': '250' }, 250],
  [{ 'retry-after': '864000' }, 15 * 60_000],
  [{ 'retry-after': 'soon' }, undefined],
])('a server that asks to wait by %o is waited for %s ms', async (headers, expected) => {
  const thrown = await errorFor(429, {}, headers);

  expect(Reflect.get(thrown as object, 'retryAfterMs')).toBe(expected);
});

test('a Retry-After date is read as a wait from now', async () => {
  const inAMinute = new Date(Date.now() + 60_000).toUTCString();

  const thrown = await errorFor(429, {}, { 'retry-after': inAMinute });

  const waitMs: unknown = Reflect.get(thrown as object, 'retryAfterMs');
  expect(waitMs).toBeGreaterThan(30_000);
  expect(waitMs).toBeLessThanOrEqual(60_000);
});

test('a 409 that says when to come back is a wait, whatever its code', async () => {
  const thrown = await errorFor(409, { code: 'conflict' }, { 'retry-after': '5' });

  expect(thrown).toMatchObject({ ...unavailable, kind: 'busy', retryAfterMs: 5_000 });
});

test('the message says who could not do what, and why', async () => {
  const thrown = await errorFor(400, { message: 'Unknown role "robot".' });

  expect(String(thrown)).toContain('acme could not answer with m: 400 Unknown role "robot".');
});

test.each([
  [401, `Incorrect API key provided: ${apiKey}.`],
  [400, `Header Authorization: Bearer ${apiKey} is not understood.`],
  [500, `upstream said: api_key=${apiKey}`],
])('a %i that quotes the key does not carry it on', async (status, message) => {
  const thrown = await errorFor(status, { message });

  expect(everythingIn(thrown)).not.toContain('0123456789abcdef');
});

/** No form of a key that anybody could know: what it looks like is its issuer's. */
const bareKey = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJmbHl3aGVlbCJ9.c2lnbmF0dXJl';

test.each([
  [400, `cannot use ${bareKey} here`],
  [409, `${bareKey} is in use`],
  [500, `no tenant of ${bareKey}`],
])('a %i that quotes a bare key of unknown form does not carry it on', async (status, message) => {
  const model = await setup((_, response) => respond(response, status, { error: { message } }), bareKey);

  const thrown: unknown = await model.complete(request).catch((error: unknown) => error);

  expect(String(thrown)).toContain('[redacted]');
  expect(everythingIn(thrown)).not.toContain(bareKey);
});

test('a reply that is not JSON can be asked again', async () => {
  const thrown = await errorFor(200, '{"choices": [');

  expect(thrown).toMatchObject({ ...unavailable, kind: 'failing' });
});

test('a reply that is not a chat completion says what is wrong with it', async () => {
  const thrown = await errorFor(200, { choices: [] });

  expect(thrown).toMatchObject({ ...unavailable, kind: 'failing' });
  expect(String(thrown)).toContain('not a chat completion');
});

test('an error page of a proxy is cut short', async () => {
  const thrown = await errorFor(502, `<html>${'x'.repeat(5_000)}</html>`);

  expect(thrown).toMatchObject(unavailable);
  expect(String(thrown).length).toBeLessThan(500);
});

test('nobody listening is unreachable', async () => {
  const baseUrl = `http://127.0.0.1:${await freePort()}/v1`;
  const model = createChatModel({ name: 'acme', baseUrl, apiKey: null });

  const call = model.complete(request);

  await expect(call).rejects.toMatchObject({ ...unavailable, kind: 'unreachable' });
  await expect(call).rejects.toThrow('ECONNREFUSED');
});

test('a connection that breaks before the answer is unreachable', async () => {
  const model = await setup((incoming) => incoming.socket.destroy());

  await expect(model.complete(request)).rejects.toMatchObject({ ...unavailable, kind: 'unreachable' });
});

test('a server that never answers is timed out', async () => {
  const model = await setup(() => undefined);

  await expect(model.complete({ ...request, timeoutMs: 100 })).rejects.toMatchObject({ kind: 'timeout' });
});

test('a body that never ends is timed out too', async () => {
  const model = await setup((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.write('{"choices":');
  });

  await expect(model.complete({ ...request, timeoutMs: 100 })).rejects.toMatchObject({ kind: 'timeout' });
});

test('the caller’s abort rejects with the caller’s own reason', async () => {
  const stop = new AbortController();
  const reason = new Error('the run was cancelled');
  const model = await setup(() => stop.abort(reason));

  await expect(model.complete({ ...request, signal: stop.signal })).rejects.toBe(reason);
});

test('nothing is asked twice on its own account', async () => {
  let asked = 0;
  const model = await setup((_, response) => {
    asked += 1;
    respond(response, 500, { error: {} });
  });

  await expect(model.complete(request)).rejects.toMatchObject(unavailable);
  expect(asked).toBe(1);
});

test('a provider without a key is sent none, even if the environment has one', async () => {
  process.env['OPENAI_API_KEY'] = apiKey;
  let authorization: string | undefined = 'unset';
  server = await startHttpServer((incoming, response) => {
    authorization = incoming.headers.authorization;
    respond(response, 200, { data: [{ id: 'm' }] });
  });
  const model = createChatModel({ name: 'acme', baseUrl: `${server.url}/v1`, apiKey: null });

  await expect(model.isServed('m')).resolves.toBe(true);
  expect(authorization).toBeUndefined();
  delete process.env['OPENAI_API_KEY'];
});

test('a server without a tokenizer route counts nothing', async () => {
  const model = await setup((_, response) => respond(response, 404, { detail: 'Not Found' }));

  await expect(model.countTokens('m', { messages: [] })).resolves.toBeNull();
});

function everythingIn(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = Object.entries(error).map(([key, value]) => `${key}=${String(value)}`);
  return [error.message, error.stack, ...own, everythingIn(error.cause ?? '')].join('\n');
}

test.each([
  ['vLLM', 400, { object: 'error', message: 'temperature is too hot', code: 400 }, 'temperature is too hot'],
  ['FastAPI', 404, { detail: 'no such thing' }, 'no such thing'],
  ['FastAPI', 422, { detail: [{ loc: ['body', 'seed'], msg: 'too large' }] }, 'too large'],
])('what %s says of a %i is told, though it is not below `error`', async (_, status, body, said) => {
  const model = await setup((__, response) => respond(response, status, body));

  await expect(model.complete(request)).rejects.toThrow(said);
});
