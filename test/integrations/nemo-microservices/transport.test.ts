import { afterEach, expect, test } from 'vitest';
import { z } from 'zod';
import { createDataStore } from '../../../integrations/nemo-microservices/data-store.ts';
import { createTransport, itemPath } from '../../../integrations/nemo-microservices/transport.ts';
import { freePort } from '../../support/free-port.ts';
import { type Handler, respond, startHttpServer, type TestHttpServer } from '../../support/http-server.ts';

let server: TestHttpServer | undefined;
afterEach(() => server?.close());

const apiKey = 'nvapi-0123456789abcdef';

async function setup(handler: Handler, key = apiKey) {
  const asked: string[] = [];
  server = await startHttpServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    return handler(request, response);
  });
  const { url } = server;
  const hosts = { url, nimUrl: url, dataStoreUrl: url };
  const transport = createTransport({ name: 'nemo', namespace: 'flywheel', apiKey: key, ...hosts }, url);
  return { transport, asked };
}

const list = { doing: 'list things', method: 'GET', path: '/v1/things' } as const;
const create = { doing: 'create a thing', method: 'POST', path: '/v1/things', body: {} } as const;

const unavailable = { name: 'UnavailableError', retryable: true };
const rejected = { name: 'RejectedError', retryable: false };

test.each([
  [400, 'nonsense', { ...rejected, message: 'nemo could not create a thing: 400 nonsense' }],
  [401, `bad key ${apiKey}`, { ...rejected, code: 'unauthorized' }],
  [403, 'no', { ...rejected, code: 'unauthorized' }],
  [404, 'none', { ...rejected, code: 'not_found' }],
  [409, 'taken', { ...rejected, code: 'conflict' }],
  [422, [{ loc: ['body', 'epochs'], msg: 'too many' }], { ...rejected, code: 'invalid' }],
  [500, 'model deployment already exists', { ...rejected, code: 'conflict' }],
  [500, 'oh no', { ...unavailable, kind: 'failing' }],
  [502, 'oh no', { ...unavailable, kind: 'failing' }],
])('%i %o becomes %o', async (status, detail, expected) => {
  const { transport, asked } = await setup((_, response) => respond(response, status, { detail }));

  const thrown: unknown = await transport.json(create, z.unknown()).catch((error: unknown) => error);

  expect(thrown).toMatchObject(expected);
  expect(String(thrown)).not.toContain(apiKey);
  // A create that may have been done is not sent again.
  expect(asked).toHaveLength(1);
});

test('a bare key of no known form is in no error that quotes it', async () => {
  const bareKey = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJmbHl3aGVlbCJ9.c2lnbmF0dXJl';
  const refuse: Handler = (_, response) =>
    respond(response, 400, { detail: `cannot use ${bareKey}`, error: `cannot use ${bareKey}` });
  const { transport } = await setup(refuse, bareKey);
  const url = server?.url ?? '';
  const hosts = { url, nimUrl: url, dataStoreUrl: url };
  const store = createDataStore({ name: 'nemo', namespace: 'flywheel', apiKey: bareKey, ...hosts });

  // The package of the hub reads the refusal by itself.
  for (const asking of [transport.json(list, z.unknown()), store.ensureRepo('flywheel/x')]) {
    const thrown: unknown = await asking.catch((error: unknown) => error);
    expect(String(thrown)).toContain('400 cannot use [redacted]');
  }
});

test('what is invalid is named by its field', async () => {
  const detail = [{ loc: ['body', 'hyperparameters', 'epochs'], msg: 'Input should be greater than 0' }];
  const { transport } = await setup((_, response) => respond(response, 422, { detail }));

  await expect(transport.json(create, z.unknown())).rejects.toThrow(
    'body.hyperparameters.epochs: Input should be greater than 0',
  );
});

test('what only reads is asked again, a few times', async () => {
  let left = 2;
  const { transport, asked } = await setup((_, response) => {
    left -= 1;
    respond(response, left < 0 ? 200 : 502, { data: [] });
  });

  await expect(transport.json(list, z.object({ data: z.array(z.unknown()) }))).resolves.toEqual({ data: [] });
  expect(asked).toHaveLength(3);
});

test('a create is sent again where the service said that it did nothing', async () => {
  let left = 1;
  const { transport, asked } = await setup((_, response) => {
    left -= 1;
    respond(response, left < 0 ? 200 : 429, {}, left < 0 ? {} : { 'retry-after': '0' });
  });

  await transport.json(create, z.unknown());

  expect(asked).toHaveLength(2);
});

test.each([
  ['a proxy’s page', '<html>Bad gateway</html>'],
  ['another form', { data: 'none' }],
])('a reply that is %s is no answer', async (_, body) => {
  const { transport } = await setup((__, response) => respond(response, 200, body));

  await expect(transport.json(create, z.object({ id: z.string() }))).rejects.toMatchObject({
    ...unavailable,
    kind: 'failing',
  });
});

test('a service that answers nothing is given up', async () => {
  const { transport } = await setup(() => undefined);

  await expect(transport.json({ ...list, timeoutMs: 50 }, z.unknown())).rejects.toMatchObject({
    ...unavailable,
    kind: 'timeout',
  });
});

test('a body that never ends is given up, too', async () => {
  const { transport } = await setup((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.write('{');
  });

  await expect(transport.json({ ...list, timeoutMs: 200 }, z.unknown())).rejects.toMatchObject({
    ...unavailable,
    kind: 'timeout',
  });
});

test('where nobody listens, that is said', async () => {
  const url = `http://127.0.0.1:${await freePort()}`;
  const hosts = { url, nimUrl: url, dataStoreUrl: url };
  const transport = createTransport({ name: 'nemo', namespace: 'flywheel', apiKey, ...hosts }, url);

  await expect(transport.json(list, z.unknown())).rejects.toMatchObject({
    ...unavailable,
    kind: 'unreachable',
  });
});

test('names keep @ and +, and nothing in them ends a path', () => {
  expect(itemPath('/v1/models', 'flywheel/a@cust-1+x')).toBe('/v1/models/flywheel/a@cust-1+x');
  expect(itemPath('/v1/models', 'flywheel/a/../b?c#d e')).toBe('/v1/models/flywheel/a%2F..%2Fb%3Fc%23d%20e');
});
