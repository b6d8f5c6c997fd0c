import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import OpenAI from 'openai';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { hasEnded } from '../../activities/ports/trainer.ts';
import { flywheelDialect } from '../../config/fine-tuning-dialects.ts';
import { toExample } from '../../domain/datasets/to-example.ts';
import { defaultLora } from '../../domain/experiments/defaults.ts';
import type { ServingSpec } from '../../domain/experiments/experiment.ts';
import { isJsonObject, type Json, type JsonObject } from '../../domain/json.ts';
import type { StoredRecord } from '../../domain/records/record.ts';
import { createFileArtifactStore } from '../../integrations/files/artifact-store.ts';
import { createTrainer } from '../../integrations/openai/trainer.ts';
import { eventually } from '../support/eventually.ts';
import { ask, type GatewayBundle, moveRoute, recordOf, setup } from './support/gateway.ts';
import { startTap, type Tap } from './support/tap.ts';

const modelServerUrl = inject('modelServerUrl');

const tools = ['track_order', 'refund', 'opening_hours'].map((name) => ({
  type: 'function',
  function: { name, description: `About ${name}.`, parameters: { type: 'object', properties: {} } },
}));

/** Greedy, so that asked twice it is answered alike. */
const question = {
  model: 'nano-1m',
  messages: [{ role: 'user', content: 'when are you open' }],
  temperature: 0,
  max_completion_tokens: 24,
};
const streamed = { ...question, stream: true, stream_options: { include_usage: true } };

/** A fine-tuned model at the model server, trained for as little as possible. */
let adapter: string;

beforeAll(async () => {
  adapter = await trainAdapter();
}, 300_000);

describe('before the real model server, a stream', () => {
  test('passes through byte for byte, each piece before the next one is made', async () => {
    const { url, tap } = await gateway();
    const held = tap.hold();

    const reply = await ask(url, { body: streamed });
    const reader = (reply.body as ReadableStream<Uint8Array>).getReader();
    // The model server's next piece waits for the latch: had the gateway held this one back, it would never come.
    const first = await reader.read();
    held.open();
    const seen = [Buffer.from(first.value ?? [])];
    for (let next = await reader.read(); !next.done; next = await reader.read())
      seen.push(Buffer.from(next.value));

    expect(reply.headers.get('content-type')).toMatch(/^text\/event-stream/);
    expect(Buffer.concat(seen).equals(Buffer.concat(tap.calls[0]?.reply ?? []))).toBe(true);
    expect(tap.calls[0]?.body).toEqual(streamed);
    expect(Buffer.concat(seen).toString()).toMatch(/data: \[DONE\]\n\n$/);
  });

  test.each([
    ['text', {}],
    ['a tool call', { tools, messages: [{ role: 'user', content: 'where is my order A123' }] }],
  ])('of %s becomes the record that the whole answer becomes', async (kind, rest) => {
    const { url, bundle } = await gateway();

    const asStream = await ask(url, { body: { ...streamed, ...rest } });
    await asStream.text();
    const asWhole = await ask(url, { body: { ...question, ...rest } });
    await asWhole.text();

    const [fromStream, fromWhole] = [await recordOf(bundle, asStream), await recordOf(bundle, asWhole)];
    expect(answerOf(fromStream)).toEqual(answerOf(fromWhole));
    expect(fromStream.extra.first_chunk_ms).toEqual(expect.any(Number));
    expect(JSON.stringify(answerOf(fromWhole)).includes('arguments')).toBe(kind === 'a tool call');
  });

  test('is ended when its caller hangs up, and the model goes on answering others', async () => {
    const { url, tap, bundle } = await gateway();
    const held = tap.hold();
    const leaving = new AbortController();

    const reply = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-workload-id': 'hr' },
      body: JSON.stringify({ ...streamed, messages: [{ role: 'user', content: 'tell me a long story' }] }),
      signal: leaving.signal,
    });
    await (reply.body as ReadableStream<Uint8Array>).getReader().read();
    leaving.abort();
    await eventually(() => expect(tap.calls[0]?.hungUp).toBe(true));
    held.open();

    const record = await recordOf(bundle, reply);
    expect(record.response).toMatchObject({ choices: [{ finish_reason: 'cancelled' }] });
    expect(toExample(record)).toMatchObject({ ok: false, reason: 'incomplete_answer' });
    expect((await ask(url, { body: question })).status).toBe(200);
  });
});

describe('of a routed workload, a stream', () => {
  test('comes from the adapter, and is recorded as its answer', async () => {
    const serving: ServingSpec = { provider: 'local', model: adapter, fewShotUri: null, maxTokens: 16 };
    const { url, tap, bundle } = await gateway(serving);

    const reply = await ask(url, { body: { ...streamed, model: 'the-original', tools } });
    const text = await reply.text();

    expect(text).toBe(Buffer.concat(tap.calls[0]?.reply ?? []).toString());
    expect(reply.headers.get('x-flywheel-model')).toBe(encodeURI(adapter));
    expect(tap.calls[0]?.body).toMatchObject({ model: adapter, stream: true, max_completion_tokens: 16 });
    const record = await recordOf(bundle, reply);
    expect(record).toMatchObject({ model: adapter, responseSource: 'flywheel' });
    expect(record.request.model).toBe('the-original');
    expect(record.response.usage).toMatchObject({ completion_tokens: expect.any(Number) as number });
  });

  test('is put together by the official client, tool calls as well', async () => {
    const serving: ServingSpec = { provider: 'local', model: 'nano-1m', fewShotUri: null, maxTokens: 24 };
    const { url } = await gateway(serving);
    const openai = new OpenAI({
      baseURL: `${url}/v1`,
      apiKey: 'none',
      defaultHeaders: { 'x-workload-id': 'hr' },
    });

    const completion = await openai.chat.completions
      .stream({
        ...{ model: 'the-original', stream: true },
        messages: [{ role: 'user', content: 'where is my order A123' }],
        tools: tools as OpenAI.ChatCompletionTool[],
      })
      .finalChatCompletion();

    expect(completion.model).toBe('nano-1m');
    expect(completion.choices[0]?.finish_reason).toBe('tool_calls');
    expect(completion.choices[0]?.message.tool_calls).toHaveLength(1);
  });
});

/** With `serving` the workload's route leads to the model server; without, the model server is the upstream. */
async function gateway(serving?: ServingSpec): Promise<{ url: string; tap: Tap; bundle: GatewayBundle }> {
  const tap = await startTap(modelServerUrl);
  const bundle = await setup(serving ? { provider: tap } : { upstream: tap });
  if (serving) await moveRoute(bundle, { moveId: 'm1', serving });
  const { url } = await bundle.start();
  return { url, tap, bundle };
}

/** What an answer says, without what each answer has of its own: ids, the time, what was in the cache. */
function answerOf({ response }: StoredRecord): Json {
  const { id: _id, created: _created, usage, ...rest } = response;
  const { prompt_tokens_details: _details, ...tokens } = isJsonObject(usage) ? usage : {};
  return withoutIds({ ...rest, usage: tokens });
}

function withoutIds(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutIds);
  if (!isJsonObject(value)) return value;
  const { id: _id, ...rest } = value;
  return Object.fromEntries(Object.entries(rest).map(([key, item]) => [key, withoutIds(item)]));
}

async function trainAdapter(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'flywheel-adapter-'));
  try {
    const artifacts = createFileArtifactStore(dir);
    const trainer = createTrainer(
      {
        ...{ name: 'local', baseUrl: `${modelServerUrl}/v1`, apiKey: null },
        dialect: flywheelDialect,
      },
      artifacts,
    );
    const rows = Array.from({ length: 8 }, (_, n) => trainingRow(n));
    const job = await trainer.launch({
      key: `gateway-${Date.now()}`,
      baseModel: 'nano-1m',
      train: await artifacts.putLines(rows),
      validation: await artifacts.putLines(rows.slice(0, 1)),
      hyperparameters: { ...defaultLora, epochs: 1, batchSize: 8, rank: 4, alpha: 4 },
      seed: 1,
      suffix: 'gateway',
      metadata: { run_id: 'gateway-test' },
    });
    const ended = await eventually(async () => {
      const now = await trainer.get(job.id);
      if (!hasEnded(now)) throw new Error(`the job is still ${now.status}`);
      return now;
    }, 240_000);
    return ended.model ?? '';
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

function trainingRow(n: number): string {
  const messages: JsonObject[] = [
    { role: 'user', content: `when are you open, asked for the ${n}th time` },
    { role: 'assistant', content: 'From nine to five.' },
  ];
  return JSON.stringify({ messages, tools });
}
