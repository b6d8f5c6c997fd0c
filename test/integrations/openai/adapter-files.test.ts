import { afterEach, expect, test } from 'vitest';
import { createAdapterFiles } from '../../../integrations/openai/adapter-files.ts';
import { type Handler, respond, startHttpServer, type TestHttpServer } from '../../support/http-server.ts';

let server: TestHttpServer | undefined;
afterEach(() => server?.close());

async function filesOf(handler: Handler) {
  server = await startHttpServer(handler);
  return createAdapterFiles({ name: 'acme', baseUrl: `${server.url}/v1`, apiKey: 'secret' });
}

test.each([
  ['OpenAI', 404, { error: { message: 'Invalid URL (GET /v1/adapters/x/files)', code: null } }],
  ['vLLM', 404, { detail: 'Not Found' }],
  ['another', 405, 'Method Not Allowed'],
])('a server without the route, such as %s’s, does not let weights be read', async (_, status, body) => {
  const files = await filesOf((__, response) => respond(response, status, body));

  await expect(files.list('m')).resolves.toBeNull();
});

test('a name that would lead out of the folder is no listing', async () => {
  const file = { name: '../x', bytes: 1, sha256: 'a'.repeat(64) };
  const files = await filesOf((_, response) =>
    respond(response, 200, { data: [file], base: { id: 'b', hub_id: null, data: [] } }),
  );

  await expect(files.list('m')).rejects.toThrow('not a plain file name');
});

test('a name of the hub keeps its slashes, and nothing else of it is a path', async () => {
  const seen: (string | undefined)[] = [];
  const files = await filesOf((request, response) => {
    seen.push(request.url);
    respond(response, 404, {});
  });

  await files.list('ft:acme/tiny?x#y:1');

  expect(seen).toEqual(['/v1/adapters/ft%3Aacme/tiny%3Fx%23y%3A1/files']);
});

test('a file that breaks off is an outage, not a short file', async () => {
  const files = await filesOf((_, response) => {
    response.writeHead(200, { 'content-length': '1000' });
    response.write('abc');
    setTimeout(() => response.destroy(), 20);
  });
  const signal = new AbortController().signal;
  const read = async () => {
    let bytes = 0;
    for await (const chunk of files.read({ model: 'm', of: 'adapter', name: 'x', signal }))
      bytes += chunk.length;
    return bytes;
  };

  await expect(read()).rejects.toMatchObject({ name: 'UnavailableError' });
});
