import { once } from 'node:events';
import OpenAI from 'openai';
import { describe, expect, test } from 'vitest';
import { toExample } from '../../domain/datasets/to-example.ts';
import { eventually } from '../support/eventually.ts';
import { ask, countsOf, moveRoute, recordOf, serving, setup, startModel } from './support/gateway.ts';
import { beginStream, done, event, latch, startUpstream, usageEvent } from './support/scripted-upstream.ts';

const streaming = { model: 'big', stream: true, messages: [{ role: 'user', content: 'hi' }] };

describe('a streamed answer', () => {
  test('reaches the caller piece by piece, byte for byte, and becomes one record', async () => {
    const half = latch();
    // A character in two pieces, a comment, and spacing that no printer would make.
    const pieces = [
      Buffer.from(`: keep-alive\n\n${event({ role: 'assistant', content: '' })}`),
      Buffer.from(event({ content: 'hé' })),
      Buffer.from(event({ content: 'llo' }).replace('data: ', 'data:   ')),
      Buffer.from(event({}, { finish_reason: 'stop' }) + usageEvent + done),
    ];
    const cut = (pieces[1]?.indexOf(Buffer.from('é')) ?? 0) + 1;
    const upstream = await startUpstream(async ({ response }) => {
      beginStream(response);
      response.write(pieces[0]);
      response.write(pieces[1]?.subarray(0, cut));
      await half.reached;
      response.write(pieces[1]?.subarray(cut));
      for (const piece of pieces.slice(2)) response.write(piece);
      response.end();
    });
    const bundle = await setup({ upstream });
    const { url } = await bundle.start();

    const reply = await ask(url, { body: streaming });
    const reader = (reply.body as ReadableStream<Uint8Array>).getReader();
    const first = await reader.read();
    half.open();
    const chunks = [Buffer.from(first.value ?? [])];
    for (let next = await reader.read(); !next.done; next = await reader.read())
      chunks.push(Buffer.from(next.value));

    // Had anything been held back, the first piece would have waited for the latch for ever.
    expect(chunks[0]?.toString()).toContain(': keep-alive');
    expect(Buffer.concat(chunks).equals(Buffer.concat(pieces))).toBe(true);
    expect(reply.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(await recordOf(bundle, reply)).toMatchObject({
      model: 'big-1',
      request: streaming,
      response: {
        object: 'chat.completion',
        choices: [{ message: { role: 'assistant', content: 'héllo' }, finish_reason: 'stop' }],
        usage: { total_tokens: 5 },
      },
      latencyMs: expect.any(Number),
      extra: { first_chunk_ms: expect.any(Number) },
    });
    expect(await countsOf(url)).toMatchObject({ answered: 1, cancelled: 0, failed: 0 });
  });

  test('with tool calls can be learned from like one in a single piece', async () => {
    const call = (fields: object) => event({ tool_calls: [{ index: 0, ...fields }] });
    const upstream = await startUpstream(({ response }) => {
      beginStream(response);
      response.write(event({ role: 'assistant', content: null }));
      response.write(call({ id: 'c1', type: 'function', function: { name: 'pay', arguments: '' } }));
      response.write(call({ function: { arguments: '{"eur":' } }));
      response.write(call({ function: { arguments: '7}' } }));
      response.end(event({}, { finish_reason: 'tool_calls' }));
    });
    const bundle = await setup({ upstream });
    const { url } = await bundle.start();
    const tools = [{ type: 'function', function: { name: 'pay' } }];

    const reply = await ask(url, { body: { ...streaming, tools } });
    await reply.text();

    expect(toExample(await recordOf(bundle, reply))).toMatchObject({
      ok: true,
      example: {
        label: 'pay',
        target: { kind: 'tool_calls', calls: [{ name: 'pay', arguments: { eur: 7 } }] },
      },
    });
  });

  test('is what the openai package expects', async () => {
    const upstream = await startUpstream(({ response }) => {
      beginStream(response);
      response.end(event({ content: 'Hel' }) + event({ content: 'lo' }, { finish_reason: 'stop' }) + done);
    });
    const { url } = await (await setup({ upstream })).start();
    const openai = new OpenAI({
      baseURL: `${url}/v1`,
      apiKey: 'sk-mine',
      defaultHeaders: { 'x-workload-id': 'hr' },
    });

    const stream = await openai.chat.completions.create({
      model: 'big',
      stream: true,
      messages: [{ role: 'user', content: 'hi' }],
    });
    let text = '';
    for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';

    expect(text).toBe('Hello');
  });

  test('of a promoted model streams as well, and its record says who answered', async () => {
    const provider = await startUpstream(({ response }) => {
      beginStream(response);
      response.end(event({ content: 'yes' }, { finish_reason: 'stop' }) + done);
    });
    const bundle = await setup({ upstream: await startModel(), provider });
    await moveRoute(bundle, { moveId: 'm1', serving });
    const { url } = await bundle.start();

    const reply = await ask(url, { body: { ...streaming, stream_options: { include_usage: true } } });

    expect(await reply.text()).toContain('"content":"yes"');
    expect(reply.headers.get('x-flywheel-model')).toBe('ft:nano:1');
    expect(JSON.parse(provider.texts[0] ?? '')).toMatchObject({
      model: 'ft:nano:1',
      stream: true,
      stream_options: { include_usage: true },
    });
    expect(await recordOf(bundle, reply)).toMatchObject({ responseSource: 'flywheel' });
  });

  test('that the upstream refuses is its error as it came', async () => {
    const upstream = await startModel();
    upstream.reply = { status: 400, text: '{"error":{"message":"no such model"}}', headers: {} };
    const { url } = await (await setup({ upstream })).start();

    const reply = await ask(url, { body: streaming });

    expect(reply.status).toBe(400);
    expect(await reply.text()).toBe('{"error":{"message":"no such model"}}');
    expect(await countsOf(url)).toMatchObject({ failed: 1 });
  });

  test('longer than what is read along is passed on whole, and no faster than it is taken', async () => {
    const size = 64 * 1024 * 1024;
    const block = Buffer.from(event({ content: 'x'.repeat(65_000) }));
    let sent = 0;
    const upstream = await startUpstream(async ({ response }) => {
      beginStream(response);
      while (sent < size) {
        sent += block.length;
        if (!response.write(block)) await once(response, 'drain');
      }
      response.end(event({}, { finish_reason: 'stop' }));
    });
    const { url } = await (await setup({ upstream })).start();

    const reply = await ask(url, { body: streaming });
    // Until nothing moves: every buffer between upstream and caller is full.
    for (let before = -1; before !== sent; await new Promise((resolve) => setTimeout(resolve, 300)))
      before = sent;
    const stalledAt = sent;
    const { byteLength } = await reply.arrayBuffer();

    expect(stalledAt).toBeLessThan(size);
    expect(byteLength).toBeGreaterThan(size);
    expect(await countsOf(url)).toMatchObject({ answered: 1, unusable: 1 });
  });
});

describe('a stream that ends early', () => {
  test('because its caller hung up ends upstream too; what was seen is kept and set aside', async () => {
    const upstreamClosed = latch();
    const upstream = await startUpstream(async ({ response, closed }) => {
      beginStream(response);
      response.write(event({ role: 'assistant', content: 'The answer is' }));
      await closed;
      upstreamClosed.open();
    });
    const bundle = await setup({ upstream });
    const { url } = await bundle.start();
    const leaving = new AbortController();

    const reply = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-workload-id': 'hr' },
      body: JSON.stringify(streaming),
      signal: leaving.signal,
    });
    await (reply.body as ReadableStream<Uint8Array>).getReader().read();
    leaving.abort();

    await upstreamClosed.reached;
    const record = await recordOf(bundle, reply);
    expect(record.response).toMatchObject({
      choices: [{ message: { content: 'The answer is' }, finish_reason: 'cancelled' }],
    });
    expect(toExample(record)).toMatchObject({ ok: false, reason: 'incomplete_answer' });
    expect(await countsOf(url)).toMatchObject({ answered: 0, cancelled: 1, failed: 0 });
  });

  test('because its caller left before the first piece is counted, and no record', async () => {
    const [asked, upstreamClosed] = [latch(), latch()];
    const upstream = await startUpstream(async ({ closed }) => {
      asked.open();
      await closed;
      upstreamClosed.open();
    });
    const bundle = await setup({ upstream });
    const { url } = await bundle.start();
    const leaving = new AbortController();
    const call = fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-workload-id': 'hr' },
      body: JSON.stringify(streaming),
      signal: leaving.signal,
    });

    await asked.reached;
    leaving.abort();
    await expect(call).rejects.toThrow();

    await upstreamClosed.reached;
    await eventually(async () => expect(await countsOf(url)).toMatchObject({ cancelled: 1, failed: 0 }));
    expect(await bundle.logStore.workloads()).toEqual([]);
    expect(bundle.logged.join('')).not.toContain('upstream_failed');
  });

  test('because the upstream broke is broken for the caller as well, never a clean end', async () => {
    const upstream = await startUpstream(({ response }) => {
      beginStream(response);
      response.write(event({ content: 'The answer is' }), () => response.destroy());
    });
    const bundle = await setup({ upstream });
    const { url } = await bundle.start();

    const reply = await ask(url, { body: streaming });

    await expect(reply.text()).rejects.toThrow();
    await eventually(async () => expect(await countsOf(url)).toMatchObject({ failed: 1, answered: 0 }));
    expect(await bundle.logStore.workloads()).toEqual([]);
    expect(bundle.logged.join('')).toContain('stream_broken');
  });

  test('because the upstream fell silent is broken off after its time', async () => {
    const upstream = await startUpstream(async ({ response, closed }) => {
      beginStream(response);
      response.write(event({ content: 'wait' }));
      await closed;
    });
    const { url } = await (await setup({ upstream, upstreamTimeoutMs: 5_000 })).start();

    const reply = await ask(url, { body: streaming });

    await expect(reply.text()).rejects.toThrow();
    await eventually(async () => expect(await countsOf(url)).toMatchObject({ failed: 1 }));
  });

  test('with an error event of the model is passed on, and no record', async () => {
    const upstream = await startUpstream(({ response }) => {
      beginStream(response);
      response.end(`${event({ content: 'half' })}data: {"error":{"message":"overloaded"}}\n\n${done}`);
    });
    const bundle = await setup({ upstream });
    const { url } = await bundle.start();

    const text = await (await ask(url, { body: streaming })).text();

    expect(text).toContain('overloaded');
    await eventually(async () => expect(await countsOf(url)).toMatchObject({ failed: 1, answered: 0 }));
    expect(await bundle.logStore.workloads()).toEqual([]);
  });

  test('because the gateway stops is kept as far as it came', async () => {
    const upstream = await startUpstream(async ({ response, closed }) => {
      beginStream(response);
      response.write(event({ content: 'The answer is' }));
      await closed;
    });
    const bundle = await setup({ upstream });
    const server = await bundle.start();
    const reply = await ask(server.url, { body: streaming });
    const broken = expect(reply.text()).rejects.toThrow();

    await server.stop();

    await broken;
    // What it had no time to ship the next one ships.
    await bundle.start();
    expect(await recordOf(bundle, reply)).toMatchObject({
      response: { choices: [{ finish_reason: 'cancelled' }] },
    });
  });
});
