import { setTimeout as sleep } from 'node:timers/promises';
import { APIError, type OpenAI } from 'openai';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type FlywheelOptions, flywheel, StoreError } from '../../sdk/flywheel.ts';
import { eventually } from '../support/eventually.ts';
import { aStore, hi, startModel } from './support/model.ts';

async function setup(options: Partial<FlywheelOptions> = {}, model: Parameters<typeof startModel>[0] = {}) {
  const { client, calls, url } = await startModel(model);
  const store = aStore();
  const told: string[] = [];
  const ai = flywheel(client, {
    ...{ workloadId: 'hr', clientId: 'web', store, flushEveryMs: 5 },
    onLoss: (message) => told.push(message),
    ...options,
  });
  onTestFinished(() => ai.flywheel.close(0).then(() => undefined));
  return { ai, client, calls, store, told, url };
}

describe('what is logged', () => {
  test('a completion, verbatim, with what the application said about it', async () => {
    const { ai, store } = await setup({ conversationId: 'c1', fields: { consent: true } });

    const completion = await ai.chat.completions.create({ ...hi, temperature: 0.5 });
    await ai.flywheel.flush();

    expect(completion.choices[0]?.message.content).toBe('Hello there');
    expect(store.records).toEqual([
      {
        consent: true,
        id: expect.stringMatching(/^rec_[0-9a-f]{32}$/),
        timestamp: expect.stringMatching(/^\d{4}-.*Z$/),
        workload_id: 'hr',
        client_id: 'web',
        conversation_id: 'c1',
        request: { ...hi, temperature: 0.5 },
        response: JSON.parse(JSON.stringify(completion)),
        latency_ms: expect.any(Number),
      },
    ]);
  });

  test('a streamed one, put together, with usage and time to the first byte', async () => {
    const { ai, store } = await setup({}, { chunkMs: 5 });

    let text = '';
    for await (const chunk of await ai.chat.completions.create({ ...hi, stream: true }))
      text += chunk.choices[0]?.delta.content ?? '';
    await ai.flywheel.flush();

    expect(text).toBe('Hello thére');
    const [record] = store.records;
    expect(record).toMatchObject({
      request: { ...hi, stream: true },
      response: {
        ...{ id: 'chatcmpl-1', object: 'chat.completion', model: 'big-1' },
        choices: [
          { index: 0, message: { role: 'assistant', content: 'Hello thére' }, finish_reason: 'stop' },
        ],
        usage: { total_tokens: 5 },
      },
    });
    expect(record?.latency_ms).toBeGreaterThan(record?.first_byte_ms ?? Number.POSITIVE_INFINITY);
  });

  test('calls by parse, by stream and by withResponse', async () => {
    const { ai, store } = await setup();

    await ai.chat.completions.parse(hi);
    expect(await ai.chat.completions.stream(hi).finalContent()).toBe('Hello thére');
    const { data, response } = await ai.chat.completions.create(hi).withResponse();
    await ai.flywheel.flush();

    expect(store.records.map(({ response: { id } }) => id)).toEqual([
      'chatcmpl-1',
      'chatcmpl-2',
      'chatcmpl-3',
    ]);
    expect(response.headers.get('x-flywheel-record-id')).toBe(store.records[2]?.id);
    expect(ai.flywheel.recordIdOf(data)).toBe(store.records[2]?.id);
    expect(response.url).toContain('/v1/chat/completions');
  });

  test('an answer whose reader stops after its last word, but not one that stops before', async () => {
    const { ai, store, calls } = await setup({}, { chunkMs: 20 });

    for await (const chunk of await ai.chat.completions.create({ ...hi, stream: true }))
      if (chunk.choices[0]?.finish_reason) break;
    for await (const chunk of await ai.chat.completions.create({ ...hi, stream: true }))
      if (chunk.choices[0]?.delta.content) break;
    await ai.flywheel.flush();

    expect(store.records.map(({ response: { id } }) => id)).toEqual(['chatcmpl-1']);
    expect(ai.flywheel.stats().lost).toEqual({ unfinished: 1 });
    // Who stops reading stops the model, as without us.
    await eventually(() => expect(calls.aborted).toBeGreaterThanOrEqual(1));
  });

  test('no call that failed, broke off, or was not a chat completion', async () => {
    const failing = await setup({}, { status: 500 });
    const breaking = await setup({}, { breakAfter: 2, chunkMs: 20 });

    await expect(failing.ai.chat.completions.create(hi)).rejects.toThrow(APIError);
    await failing.ai.models.list().catch(() => undefined);
    const broken = breaking.ai.chat.completions.create({ ...hi, stream: true }).then(async (stream) => {
      for await (const _ of stream);
    });
    await expect(broken).rejects.toThrow();
    await Promise.all([failing.ai.flywheel.flush(), breaking.ai.flywheel.flush()]);

    expect([...failing.store.records, ...breaking.store.records]).toEqual([]);
    expect(failing.ai.flywheel.stats().lost).toEqual({});
    expect(breaking.ai.flywheel.stats().lost).toEqual({ unfinished: 1 });
  });

  test('nothing of the gateway’s, which logs by itself; its record ids are known all the same', async () => {
    const headers = { 'x-flywheel-route': '3', 'x-flywheel-record-id': 'rec_gateway' };
    const { ai, store } = await setup({}, { headers });

    const completion = await ai.chat.completions.create(hi);
    for await (const _ of await ai.chat.completions.create({ ...hi, stream: true }));
    await ai.flywheel.flush();

    expect(store.records).toEqual([]);
    expect(ai.flywheel.recordIdOf(completion)).toBe('rec_gateway');
  });

  test('what the gateway passed on without logging it, unless that was the application’s wish', async () => {
    const { ai, store } = await setup({}, { headers: { 'x-flywheel-route': '0' } });

    await ai.chat.completions.create(hi);
    for await (const _ of await ai.chat.completions.create({ ...hi, stream: true }));
    await ai.chat.completions.create(hi, { headers: { 'x-flywheel-log': 'off' } });
    await ai.flywheel.flush();

    expect(store.records.map(({ response: { id } }) => id)).toEqual(['chatcmpl-1', 'chatcmpl-2']);
  });

  test('the client that was wrapped logs nothing, and copies of the wrapped one log', async () => {
    const { ai, client, store } = await setup();

    await client.chat.completions.create(hi);
    await ai.withOptions({ timeout: 60_000 }).chat.completions.create(hi);
    await ai.flywheel.flush();

    expect(store.records.map(({ response: { id } }) => id)).toEqual(['chatcmpl-2']);
  });
});

describe('conversations', () => {
  test('each call belongs to the nearest conversation', async () => {
    const { ai, store } = await setup({ conversationId: 'default' });
    const call = (client: OpenAI) => client.chat.completions.create(hi);

    await Promise.all([
      call(ai),
      ai.flywheel.conversation('a', async () => {
        await sleep(1);
        await call(ai);
      }),
      ai.flywheel.conversation('b', () => call(ai)),
      call(ai.flywheel.with({ conversationId: 'c', workloadId: 'it' })),
    ]);
    await ai.flywheel.flush();

    const seen = store.records.map(({ workload_id, conversation_id }) => [workload_id, conversation_id]);
    expect(seen.sort()).toEqual([
      ['hr', 'a'],
      ['hr', 'b'],
      ['hr', 'default'],
      ['it', 'c'],
    ]);
  });
});

describe('feedback', () => {
  test('goes out with the record that it is about, and a key of its own', async () => {
    const { ai, store } = await setup();
    const completion = await ai.chat.completions.create(hi);

    const given = [
      ai.flywheel.feedback({ completion, kind: 'thumbs', value: 'up', author: 'anna', comment: 'thanks' }),
      ai.flywheel.feedback({ recordId: 'rec_9', kind: 'correction', value: 'Bern' }),
      ai.flywheel.feedback({
        conversationId: 'c1',
        kind: 'outcome',
        name: 'resolved',
        value: true,
        key: 'k',
      }),
      ai.flywheel.feedback({ completion: { id: 'never-seen' }, kind: 'comment', comment: 'hm' }),
    ];
    await ai.flywheel.flush();

    expect(given).toEqual([true, true, true, false]);
    const shared = { workload_id: 'hr', client_id: 'web' };
    expect(store.feedback).toEqual([
      {
        ...shared,
        ...{
          record_id: store.records[0]?.id,
          kind: 'thumbs',
          value: 'up',
          author: 'anna',
          comment: 'thanks',
        },
        ...{ key: expect.stringMatching(/^[0-9a-f-]{36}$/), timestamp: expect.any(String) },
      },
      {
        ...shared,
        record_id: 'rec_9',
        kind: 'correction',
        value: 'Bern',
        key: expect.any(String),
        timestamp: expect.any(String),
      },
      { ...shared, conversation_id: 'c1', kind: 'outcome', name: 'resolved', value: true, key: 'k' },
    ]);
    expect(ai.flywheel.stats()).toMatchObject({ feedback: { sent: 3 }, lost: { no_feedback: 1 } });
  });
});

describe('trouble stays here', () => {
  test('a store that fails gets everything later, once it works', async () => {
    const { ai, store } = await setup();
    store.fail = () => Promise.reject(new Error('down'));

    for (let n = 0; n < 5; n += 1) await ai.chat.completions.create(hi);
    await eventually(() => expect(ai.flywheel.stats()).toMatchObject({ waiting: 5, lastError: 'down' }));
    store.fail = null;

    expect(await ai.flywheel.flush()).toBe(true);
    expect(store.records).toHaveLength(5);
    expect(ai.flywheel.stats()).toMatchObject({ sent: 5, waiting: 0, lost: {}, lastError: null });
  });

  test('a full buffer loses what is new, counts it and says so once', async () => {
    const { ai, store, told } = await setup({ maxBuffered: 3 });
    store.fail = () => Promise.reject(new Error('down'));

    for (let n = 0; n < 8; n += 1) await ai.chat.completions.create(hi);
    store.fail = null;
    await ai.flywheel.flush();

    expect(store.records.map(({ response: { id } }) => id)).toEqual([
      'chatcmpl-1',
      'chatcmpl-2',
      'chatcmpl-3',
    ]);
    expect(ai.flywheel.stats().lost).toEqual({ buffer_full: 5 });
    expect(told).toHaveLength(1);
    expect(told[0]).toContain('buffer_full');
  });

  test('a call larger than allowed is answered and not logged', async () => {
    const { ai, store } = await setup({ maxRecordBytes: 10_000 }, { content: 'x'.repeat(20_000) });

    const completion = await ai.chat.completions.create(hi);
    await ai.flywheel.flush();

    expect(completion.choices[0]?.message.content).toHaveLength(20_000);
    expect(store.records).toEqual([]);
    expect(ai.flywheel.stats().lost).toEqual({ too_large: 1 });
  });

  test('a store that takes only small batches gets small ones', async () => {
    const { ai, store } = await setup({ flushEveryMs: 10_000 });
    const insert = store.insert;
    store.insert = async (batch) => {
      if (batch.length > 2) throw new StoreError('too much', { tooLarge: true });
      await insert(batch);
    };

    for (let n = 0; n < 5; n += 1) await ai.chat.completions.create(hi);
    await ai.flywheel.flush();

    expect(store.records).toHaveLength(5);
  });

  test('beforeSend changes records and keeps them back; where it throws the record is lost', async () => {
    let n = 0;
    const { ai, store } = await setup({
      beforeSend: (record) => {
        n += 1;
        if (n === 1) throw new Error('oops');
        return n === 2 ? null : { ...record, request: { ...record.request, user: 'redacted' } };
      },
    });

    for (let i = 0; i < 3; i += 1) await ai.chat.completions.create({ ...hi, user: 'anna@example.org' });
    await ai.flywheel.flush();

    expect(store.records.map(({ request: { user } }) => user)).toEqual(['redacted']);
    expect(ai.flywheel.stats().lost).toEqual({ failed: 1 });
  });

  test('no call waits for a store that never answers', async () => {
    const { ai, store } = await setup();
    store.fail = () => new Promise<never>(() => undefined);

    for (let i = 0; i < 3; i += 1) await ai.chat.completions.create(hi);

    expect(await ai.flywheel.flush(20)).toBe(false);
    expect(ai.flywheel.stats()).toMatchObject({ sent: 0, waiting: 3 });
  });

  test('a logger that throws, and a feedback that is no feedback, throw nothing', async () => {
    const { ai } = await setup({
      maxBuffered: 0,
      onLoss: () => {
        throw new Error('logger');
      },
    });

    await ai.chat.completions.create(hi);

    expect(ai.flywheel.feedback(null as never)).toBe(false);
    expect(ai.flywheel.stats().lost).toEqual({ buffer_full: 1, failed: 1 });
  });
});
