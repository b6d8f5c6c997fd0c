import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import OpenAI from 'openai';
import { onTestFinished } from 'vitest';
import type { FlywheelRecord, RecordStore } from '../../../sdk/flywheel.ts';
import { respond, startHttpServer } from '../../support/http-server.ts';

const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 };

/** A real HTTP server in OpenAI's dialect that says “Hello there”, streamed where asked. */
export async function startModel(
  options: {
    /** Between the chunks of a stream. */
    chunkMs?: number;
    /** Breaks the connection after so many chunks. */
    breakAfter?: number;
    status?: number;
    headers?: Record<string, string>;
    content?: string;
  } = {},
) {
  const calls = { begun: 0, aborted: 0 };
  const answer = async (method: string | undefined, text: string, response: ServerResponse) => {
    if (method !== 'POST') return response.writeHead(404).end();
    calls.begun += 1;
    const id = `chatcmpl-${calls.begun}`;
    const body = JSON.parse(text) as { stream?: boolean };
    response.on('close', () => {
      if (!response.writableFinished) calls.aborted += 1;
    });
    if (options.status !== undefined) return respond(response, options.status, '{"error":{"message":"no"}}');
    if (body.stream !== true) {
      const message = { role: 'assistant', content: options.content ?? 'Hello there' };
      const choices = [{ index: 0, message, finish_reason: 'stop' }];
      const completion = { id, object: 'chat.completion', created: 1_767_225_600, model: 'big-1', usage };
      return respond(response, 200, { ...completion, choices }, options.headers);
    }
    response.writeHead(200, { 'content-type': 'text/event-stream', ...options.headers });
    for (const [index, chunk] of chunksOf(id).entries()) {
      if (index === options.breakAfter) return response.destroy();
      if (options.chunkMs) await sleep(options.chunkMs);
      response.write(`data: ${JSON.stringify(chunk)}\n\n`);
    }
    return response.end('data: [DONE]\n\n');
  };
  const server = await startHttpServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => void answer(request.method, Buffer.concat(chunks).toString(), response));
  });
  onTestFinished(() => server.close());
  const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'key', maxRetries: 0 });
  return { client, calls, url: server.url };
}

function chunksOf(id: string): object[] {
  const chunk = (choices: object[], rest: object = {}) => ({
    ...{ id, object: 'chat.completion.chunk', created: 1_767_225_600, model: 'big-1', choices, ...rest },
  });
  const delta = (piece: object, finish_reason: string | null = null) =>
    chunk([{ index: 0, delta: piece, finish_reason }]);
  return [
    delta({ role: 'assistant', content: '' }),
    delta({ content: 'Hello ' }),
    delta({ content: 'thére' }),
    delta({}, 'stop'),
    chunk([], { usage }),
  ];
}

/** A store in memory, that may be told to fail. */
export function aStore() {
  const records: FlywheelRecord[] = [];
  const feedback: unknown[] = [];
  const store = {
    ...{ records, feedback, batches: [] as number[] },
    fail: null as null | (() => Promise<never>),
    async insert(batch: readonly FlywheelRecord[]) {
      store.batches.push(batch.length);
      if (store.fail) await store.fail();
      records.push(...batch);
    },
    async insertFeedback(batch: readonly unknown[]) {
      feedback.push(...batch);
    },
  } satisfies RecordStore & Record<string, unknown>;
  return store;
}

export const hi = { model: 'big', messages: [{ role: 'user' as const, content: 'hi' }] };
