import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { toExample } from '../../domain/datasets/to-example.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { startHttpServer } from '../support/http-server.ts';
import {
  ask,
  countsOf,
  moveRoute,
  oddlySpaced,
  recordOf,
  serving,
  setup,
  startModel,
} from './support/gateway.ts';
import { latch, startUpstream } from './support/scripted-upstream.ts';

const anImage = {
  model: 'big',
  messages: [
    {
      role: 'user',
      content: [
        { type: 'text', text: 'What is this?' },
        { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=', detail: 'low' } },
        { type: 'input_audio', input_audio: { data: 'UklGRg==', format: 'wav' } },
        { type: 'file', file: { filename: 'a.pdf', file_data: 'JVBERi0=' } },
      ],
    },
  ],
};

describe('an upstream in trouble', () => {
  test('that stays silent is a 504 after its time', async () => {
    const upstream = await startUpstream(({ closed }) => closed);
    const { url } = await (await setup({ upstream, upstreamTimeoutMs: 5_000 })).start();

    const reply = await ask(url);

    expect(reply.status).toBe(504);
    expect(await reply.json()).toMatchObject({ error: { code: 'upstream_timeout', type: 'api_error' } });
    expect(upstream.texts).toHaveLength(1);
  });

  test('that breaks off after it got the call is a 502, and is not asked twice', async () => {
    const upstream = await startUpstream(({ request }) => request.socket.destroy());
    const { url } = await (await setup({ upstream })).start();

    const reply = await ask(url);

    expect(reply.status).toBe(502);
    expect(await reply.json()).toMatchObject({
      error: { code: 'upstream_failed', message: expect.stringMatching(/may have worked on the call/) },
    });
    expect(upstream.texts).toHaveLength(1);
  });

  test('that restarts at this moment is asked as soon as it is back', async () => {
    const port = await freePort();
    const upstream = { ...(await startModel()), baseUrl: `http://127.0.0.1:${port}/v1` };
    const { url } = await (await setup({ upstream })).start();

    const call = ask(url);
    const server = await new Promise<Awaited<ReturnType<typeof startHttpServer>>>((resolve, reject) => {
      setTimeout(() => {
        startHttpServer((_, response) => {
          response.writeHead(200, { 'content-type': 'application/json' });
          response.end(oddlySpaced);
        }, port).then(resolve, reject);
      }, 150);
    });

    expect((await call).status).toBe(200);
    await server.close();
  });

  test('is left alone once its caller has hung up', async () => {
    const [asked, upstreamClosed] = [latch(), latch()];
    const upstream = await startUpstream(async ({ closed }) => {
      asked.open();
      await closed;
      upstreamClosed.open();
    });
    const { url } = await (await setup({ upstream })).start();
    const leaving = new AbortController();
    const call = fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"messages":[]}',
      signal: leaving.signal,
    });

    await asked.reached;
    leaving.abort();

    await expect(call).rejects.toThrow();
    await upstreamClosed.reached;
    await eventually(async () => expect(await countsOf(url)).toMatchObject({ cancelled: 1, failed: 0 }));
  });
});

describe('what a chat completion can hold', () => {
  test('images, audio and files pass untouched, are stored, and set aside with that reason', async () => {
    const upstream = await startModel();
    const bundle = await setup({ upstream });
    const { url } = await bundle.start();
    const sent = JSON.stringify(anImage, null, 3);

    const reply = await ask(url, { body: sent });

    expect(upstream.asked[0]?.text).toBe(sent);
    const record = await recordOf(bundle, reply);
    expect(record.request).toEqual(anImage);
    expect(toExample(record)).toMatchObject({ ok: false, reason: 'unsupported_content' });
  });

  test('more than text goes to the original although the route has moved, and says so', async () => {
    const [upstream, provider] = [await startModel(), await startModel()];
    const bundle = await setup({ upstream, provider });
    await moveRoute(bundle, { moveId: 'm1', serving });
    const { url } = await bundle.start();

    const image = await ask(url, { body: anImage });
    const text = await ask(url);

    expect(image.headers.get('x-flywheel-fallback')).toBe('unsupported_content');
    expect(image.headers.get('x-flywheel-route')).toBe('1');
    expect(image.headers.get('x-flywheel-model')).toBe('big');
    expect(text.headers.get('x-flywheel-fallback')).toBeNull();
    expect([upstream.asked.length, provider.asked.length]).toEqual([1, 1]);
    expect(await recordOf(bundle, image)).toMatchObject({ responseSource: 'production' });
  });

  test('without an original the promoted model is asked, and answers for itself', async () => {
    const provider = await startModel();
    const bundle = await setup({ provider });
    await moveRoute(bundle, { moveId: 'm1', serving });
    const { url } = await bundle.start();

    const reply = await ask(url, { body: anImage });

    expect(reply.headers.get('x-flywheel-model')).toBe('ft:nano:1');
    expect(reply.headers.get('x-flywheel-fallback')).toBeNull();
  });

  test('functions of the time before tools are stored as they came, and set aside', async () => {
    const bundle = await setup({ upstream: await startModel() });
    const { url } = await bundle.start();
    const messages = [
      { role: 'user', content: 'hi' },
      { role: 'assistant', content: null, function_call: { name: 'f', arguments: '{}' } },
      { role: 'function', name: 'f', content: '1' },
    ];

    const record = await recordOf(bundle, await ask(url, { body: { model: 'big', messages } }));

    expect(record.request).toMatchObject({ messages });
    expect(toExample(record).ok).toBe(false);
  });

  test('an encoded reply passes as it came, and its record can be read', async () => {
    const encoded = gzipSync(oddlySpaced);
    const upstream = await startUpstream(({ response }) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
      response.end(encoded);
    });
    const bundle = await setup({ upstream });
    const { url } = await bundle.start();

    const reply = await ask(url);

    expect(await reply.text()).toBe(oddlySpaced);
    expect(reply.headers.get('content-encoding')).toBe('gzip');
    expect(await recordOf(bundle, reply)).toMatchObject({ response: JSON.parse(oddlySpaced) });
  });

  test('the query goes along, as Azure’s api-version does; so do all headers of the reply', async () => {
    const upstream = await startModel();
    upstream.reply.headers = { 'x-ratelimit-remaining-requests': '9', 'set-cookie': 'a=b' };
    const { url } = await (await setup({ upstream })).start();

    const reply = await fetch(`${url}/v1/chat/completions?api-version=2024-10-21`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"messages":[{"role":"user","content":"hi"}]}',
    });

    expect(upstream.asked[0]?.path).toBe('/v1/chat/completions?api-version=2024-10-21');
    expect(reply.headers.get('x-ratelimit-remaining-requests')).toBe('9');
    expect(reply.headers.get('set-cookie')).toBe('a=b');
  });
});

describe('the size limit', () => {
  test.each(['declared', 'unknown'])('holds for a body of %s length', async (length) => {
    const upstream = await startModel();
    const { url } = await (await setup({ upstream, maxBodyBytes: 10_000 })).start();
    const bytes = new TextEncoder().encode(JSON.stringify({ messages: [], pad: 'x'.repeat(20_000) }));
    const stream = new ReadableStream({
      start(controller) {
        controller.enqueue(bytes);
        controller.close();
      },
    });

    const reply = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: length === 'declared' ? bytes : stream,
      duplex: 'half',
    });

    expect(reply.status).toBe(413);
    expect(await reply.json()).toMatchObject({
      error: { code: 'request_too_large', message: expect.stringContaining('10000') },
    });
    expect(upstream.asked).toHaveLength(0);
  });

  test('lets a body of unknown length within it pass', async () => {
    const upstream = await startModel();
    const { url } = await (await setup({ upstream })).start();
    const sent = '{"messages":[{"role":"user","content":"hi"}]}';

    const reply = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: new Blob([sent]).stream(),
      duplex: 'half',
    });

    expect(reply.status).toBe(200);
    expect(upstream.asked[0]?.text).toBe(sent);
  });
});
