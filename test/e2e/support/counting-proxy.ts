import { type IncomingMessage, type ServerResponse, request as send } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { JsonObject } from '../../../domain/json.ts';
import { startHttpServer } from '../../support/http-server.ts';

export interface CountingProxy {
  readonly url: string;
  /** How often each model was asked an item since the last reset; a mere hello (`sayHello`) is none. */
  readonly asked: Map<string, number>;
  /** The bodies of those items, in their order. */
  readonly questions: JsonObject[];
  /** Each chat completion takes so much longer: room for a kill in mid-evaluation. */
  delayMs: number;
  reset(): void;
  close(): Promise<void>;
}

/** Stands before the real model server and counts what it is asked for. */
export async function startCountingProxy(target: string): Promise<CountingProxy> {
  const asked = new Map<string, number>();
  const questions: JsonObject[] = [];
  const reset = () => {
    asked.clear();
    questions.length = 0;
  };
  const proxy = { asked, questions, delayMs: 0, reset };
  const server = await startHttpServer((incoming, outgoing) => {
    void pass(incoming, outgoing);
  });
  async function pass(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    if (incoming.url?.endsWith('/chat/completions')) {
      const question = JSON.parse(body.toString('utf8')) as JsonObject & { model: string };
      const { model, max_completion_tokens: longest } = question;
      if (longest !== 1) {
        asked.set(model, (asked.get(model) ?? 0) + 1);
        questions.push(question);
      }
      await sleep(proxy.delayMs);
    }
    const { method, headers } = incoming;
    // A connection of its own: one that was kept may be closed by the server just as it is used again.
    const options = { headers, agent: false as const, ...(method ? { method } : {}) };
    const forwarded = send(new URL(incoming.url ?? '/', target), options);
    forwarded.on('response', (reply) => {
      outgoing.writeHead(reply.statusCode ?? 502, reply.headers);
      reply.pipe(outgoing);
    });
    forwarded.on('error', () => outgoing.destroy());
    outgoing.on('close', () => forwarded.destroy());
    forwarded.end(body);
  }
  return Object.assign(proxy, server);
}
