import { describe, expect, test } from 'vitest';
import { openArtifactStore } from '../../wiring/open-artifact-store.ts';
import { eventually } from '../support/eventually.ts';
import { ask, moveRoute, oddlySpaced, serving, setup, startModel, storedIds } from './support/gateway.ts';

describe('without a route', () => {
  test('the call reaches the upstream byte for byte, and so does the reply', async () => {
    const upstream = await startModel();
    upstream.reply.headers = { 'x-request-id': 'req-7', 'openai-processing-ms': '12' };
    const { url } = await (await setup({ upstream })).start();
    const sent = '{ "model":"big",  "messages":[{"role":"user","content":"hï"}], "seed": 1.0 }';

    const reply = await ask(url, { body: sent });

    expect(await reply.text()).toBe(oddlySpaced);
    expect(reply.status).toBe(200);
    expect(reply.headers.get('x-request-id')).toBe('req-7');
    expect(reply.headers.get('openai-processing-ms')).toBe('12');
    expect(reply.headers.get('x-flywheel-route')).toBe('0');
    expect(reply.headers.get('x-flywheel-model')).toBe('big');
    expect(upstream.asked[0]?.text).toBe(sent);
    expect(upstream.asked[0]?.path).toBe('/v1/chat/completions');
  });

  test('the call becomes a record with workload, client, conversation, answer and model', async () => {
    const upstream = await startModel();
    const bundle = await setup({ upstream });
    const { url } = await bundle.start();

    const reply = await ask(url, { headers: { 'x-conversation-id': 'conv-1' } });

    const id = reply.headers.get('x-flywheel-record-id') ?? '';
    const [record] = await eventually(async () => {
      const found = await bundle.logStore.get([id]);
      expect(found).toHaveLength(1);
      return found;
    });
    expect(record).toMatchObject({
      workloadId: 'hr',
      clientId: 'c1',
      conversationId: 'conv-1',
      model: 'big-1',
      responseSource: 'production',
      request: { model: 'big', messages: [{ role: 'user', content: 'hi' }] },
      response: JSON.parse(oddlySpaced),
      extra: { route_version: 0 },
    });
  });

  test('the caller’s key goes to the upstream; the configured one is used when there is none', async () => {
    const upstream = await startModel();
    const { url } = await (await setup({ upstream, apiKey: 'configured' })).start();

    await ask(url, { headers: { authorization: 'Bearer the-callers' } });
    await ask(url);

    expect(upstream.asked.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer the-callers',
      'Bearer configured',
    ]);
    expect(upstream.asked[0]?.headers['x-workload-id']).toBeUndefined();
  });

  test('an error of the upstream passes through as it is, and is no record', async () => {
    const upstream = await startModel();
    upstream.reply = {
      status: 429,
      text: '{"error":{"message":"slow down"}}',
      headers: { 'retry-after': '7' },
    };
    const bundle = await setup({ upstream });
    const { url } = await bundle.start();

    const reply = await ask(url);

    expect(reply.status).toBe(429);
    expect(reply.headers.get('retry-after')).toBe('7');
    expect(await reply.text()).toBe('{"error":{"message":"slow down"}}');
    expect(reply.headers.get('x-flywheel-record-id')).toBeNull();
    expect(await readyOf(url)).toMatchObject({
      calls: { calls: 1, answered: 0, failed: 1 },
      journal: { waiting: 0, shipped: 0 },
    });
  });

  test('a missing upstream is a clear error in OpenAI’s shape', async () => {
    const { url } = await (await setup({ upstream: null })).start();

    const reply = await ask(url);

    expect(reply.status).toBe(404);
    expect(await reply.json()).toEqual({
      error: {
        message: expect.stringMatching(/Workload "hr" has no route.*FLYWHEEL_UPSTREAM_URL/),
        type: 'invalid_request_error',
        param: null,
        code: 'no_upstream',
      },
    });
  });

  test('an upstream that cannot be reached is a 502', async () => {
    const upstream = { ...(await startModel()), baseUrl: 'http://127.0.0.1:9/v1' };
    const { url } = await (await setup({ upstream })).start();

    const reply = await ask(url);

    expect(reply.status).toBe(502);
    expect(reply.headers.get('x-flywheel-route')).toBe('0');
    expect(await reply.json()).toMatchObject({ error: { code: 'upstream_unreachable', type: 'api_error' } });
  });
});

describe('with a route', () => {
  test('the promoted model is asked as it was evaluated, with its provider’s key only', async () => {
    const provider = await startModel();
    const bundle = await setup({ upstream: await startModel(), provider });
    await moveRoute(bundle, { moveId: 'm1', serving });
    const { url } = await bundle.start();

    const reply = await ask(url, {
      headers: { authorization: 'Bearer the-callers', 'x-secret': 'private' },
      body: { model: 'big', temperature: 0.9, messages: [{ role: 'user', content: 'hi' }] },
    });

    expect(await reply.text()).toBe(oddlySpaced);
    expect(reply.headers.get('x-flywheel-route')).toBe('1');
    expect(reply.headers.get('x-flywheel-model')).toBe('ft:nano:1');
    expect(provider.asked[0]?.body).toEqual({
      model: 'ft:nano:1',
      temperature: 0,
      max_completion_tokens: 64,
      messages: [{ role: 'user', content: 'hi' }],
    });
    expect(provider.asked[0]?.headers.authorization).toBe('Bearer provider-key');
    expect(provider.asked[0]?.headers['x-secret']).toBeUndefined();
  });

  test('few-shot text of an ICL route is put where the evaluation put it', async () => {
    const provider = await startModel();
    const bundle = await setup({ provider });
    const { uri } = await openArtifactStore(bundle.config).putText(
      'Examples:\n\nUser: a\nAssistant: call b {}',
    );
    await moveRoute(bundle, { moveId: 'm1', serving: { ...serving, fewShotUri: uri } });
    const { url } = await bundle.start();

    await ask(url, {
      body: {
        model: 'big',
        messages: [
          { role: 'system', content: 'Be brief.' },
          { role: 'user', content: 'hi' },
        ],
      },
    });

    expect(provider.asked[0]?.body['messages']).toEqual([
      { role: 'system', content: 'Be brief.\n\nExamples:\n\nUser: a\nAssistant: call b {}' },
      { role: 'user', content: 'hi' },
    ]);
  });

  test('its records hold what the application asked, and say that Flywheel’s model answered', async () => {
    const bundle = await setup({ provider: await startModel() });
    await moveRoute(bundle, { moveId: 'm1', serving });
    const { url } = await bundle.start();

    const id = (await ask(url)).headers.get('x-flywheel-record-id') ?? '';

    await eventually(async () => {
      expect(await bundle.logStore.get([id])).toMatchObject([
        { responseSource: 'flywheel', request: { model: 'big' }, extra: { route_version: 1 } },
      ]);
    });
  });

  test('a move is seen at once by a call that asks for fresh routes, and soon by all', async () => {
    const [upstream, provider] = [await startModel(), await startModel()];
    const bundle = await setup({ upstream, provider });
    const { url } = await bundle.start();
    await moveRoute(bundle, { moveId: 'm1', serving });

    const fresh = await ask(url, { headers: { 'cache-control': 'no-cache' } });
    await moveRoute(bundle, { moveId: 'm2', serving: null });

    expect(fresh.headers.get('x-flywheel-route')).toBe('1');
    await eventually(async () => {
      expect((await ask(url)).headers.get('x-flywheel-route')).toBe('2');
    });
    expect(upstream.asked.length).toBeGreaterThan(0);
  });

  test('another workload’s calls stay where they were', async () => {
    const [upstream, provider] = [await startModel(), await startModel()];
    const bundle = await setup({ upstream, provider });
    await moveRoute(bundle, { moveId: 'm1', serving });
    const { url } = await bundle.start();

    await ask(url, { headers: { 'x-workload-id': 'support' } });

    expect(upstream.asked).toHaveLength(1);
    expect(provider.asked).toHaveLength(0);
  });
});

describe('calls that are refused or not logged', () => {
  test.each([
    ['a body that is no JSON', { body: '{nope' }, 400, 'invalid_json'],
    ['a JSON list', { body: '[]' }, 400, 'invalid_json'],
    ['another content type', { headers: { 'content-type': 'text/plain' } }, 415, 'unsupported_media_type'],
    ['an endless workload id', { headers: { 'x-workload-id': 'x'.repeat(201) } }, 400, 'invalid_workload_id'],
    [
      'a workload id with a command in it',
      { headers: { 'x-workload-id': 'hr$(reboot)' } },
      400,
      'invalid_workload_id',
    ],
  ])('%s', async (_, request, status, code) => {
    const upstream = await startModel();
    const { url } = await (await setup({ upstream })).start();

    const reply = await ask(url, request);

    expect(reply.status).toBe(status);
    expect(await reply.json()).toMatchObject({ error: { code, type: 'invalid_request_error' } });
    expect(upstream.asked).toHaveLength(0);
  });

  test('a body of more than 32 MiB', async () => {
    const { url } = await (await setup()).start();

    const reply = await ask(url, {
      body: { messages: [{ role: 'user', content: 'x'.repeat(33 * 1024 * 1024) }] },
    });

    expect(reply.status).toBe(413);
    expect(await reply.json()).toMatchObject({ error: { code: 'request_too_large' } });
  });

  test('a call without a workload passes through unlogged; so does one that asks for it', async () => {
    const upstream = await startModel();
    const bundle = await setup({ upstream });
    const { url } = await bundle.start();

    const replies = [
      await ask(url, { headers: { 'x-flywheel-log': 'off' } }),
      await fetch(`${url}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{"model":"big","messages":[{"role":"user","content":"hi"}]}',
      }),
    ];

    expect(replies.map(({ status }) => status)).toEqual([200, 200]);
    expect(replies.map(({ headers }) => headers.get('x-flywheel-record-id'))).toEqual([null, null]);
    expect(await readyOf(url)).toMatchObject({ calls: { unlogged: 2 } });
    expect(await storedIds(bundle)).toEqual([]);
  });

  test('nothing of a call’s text or keys is in the process’s own log', async () => {
    const bundle = await setup({ upstream: await startModel() });
    const { url } = await bundle.start();

    await ask(url, {
      headers: { authorization: 'Bearer sk-very-secret' },
      body: { messages: [{ role: 'user', content: 'my PIN is 4711' }] },
    });

    const lines = bundle.logged.join('');
    expect(lines).toContain('"event":"call"');
    expect(lines).not.toMatch(/sk-very-secret|4711|héllo/);
  });
});

async function readyOf(url: string): Promise<unknown> {
  return (await fetch(`${url}/ready`)).json();
}
