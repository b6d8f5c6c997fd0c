import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { respond, startHttpServer } from './http-server.ts';

export interface HeldGateway {
  readonly url: string;
  /** Resolves once a model is asked. */
  readonly asked: Promise<void>;
  /** Lets every question, those that wait and those to come, have its answer. */
  release(): void;
  close(): Promise<void>;
}

/**
 * Stands before a NeMo Platform: chat completions wait until they are released, and get this answer, for the platform
 * to be killed meanwhile; everything else is passed on.
 */
export async function startHeldGateway(platformUrl: string, answer: string): Promise<HeldGateway> {
  const asked = new AbortController();
  const released = new AbortController();
  const server = await startHttpServer(async (request, response) => {
    const body = await bodyOf(request);
    if (!request.url?.endsWith('/chat/completions')) {
      const { method = 'GET', headers } = request;
      const type = headers['content-type'];
      const reply = await fetch(`${platformUrl}${request.url}`, {
        method,
        ...(type && { headers: { 'content-type': type } }),
        ...(body.length > 0 && { body }),
      });
      return respond(response, reply.status, await reply.text());
    }
    asked.abort();
    await aborted(released.signal);
    return respond(response, 200, {
      ...{ id: 'held', object: 'chat.completion', created: 1, model: 'held' },
      choices: [{ index: 0, message: { role: 'assistant', content: answer }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
    });
  });
  return {
    ...{ url: server.url, asked: aborted(asked.signal), close: () => server.close() },
    release: () => released.abort(),
  };
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}

async function bodyOf(request: IncomingMessage): Promise<Buffer<ArrayBuffer>> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
