import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { onTestFinished } from 'vitest';
import { startHttpServer } from '../../support/http-server.ts';
import type { Model } from './gateway.ts';

export interface Asking {
  readonly request: IncomingMessage;
  readonly text: string;
  readonly response: ServerResponse;
  /** Resolves when whoever asked has hung up, or was answered. */
  readonly closed: Promise<unknown>;
}

/** An upstream on a real socket that does to each call what the test says, as no well-behaved one would. */
export async function startUpstream(
  script: (asking: Asking, index: number) => unknown,
): Promise<Model & { readonly texts: string[] }> {
  const texts: string[] = [];
  const server = await startHttpServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    texts.push(text);
    await script({ request, text, response, closed: once(response, 'close') }, texts.length - 1);
  });
  onTestFinished(() => server.close());
  return { baseUrl: `${server.url}/v1`, asked: [], texts, reply: { status: 200, text: '', headers: {} } };
}

export function beginStream(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
}

export function event(delta: object, rest: object = {}): string {
  const head = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'big-1' };
  return `data: ${JSON.stringify({ ...head, choices: [{ index: 0, delta, finish_reason: null, ...rest }] })}\n\n`;
}

export const usageEvent = `data: ${JSON.stringify({
  ...{ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'big-1', choices: [] },
  usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
})}\n\n`;

export const done = 'data: [DONE]\n\n';

/** Something that a test lets happen. */
export function latch(): { readonly reached: Promise<void>; open(): void } {
  let open = () => undefined as void;
  const reached = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { reached, open: () => open() };
}
