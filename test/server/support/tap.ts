import { type IncomingMessage, type ServerResponse, request as send } from 'node:http';
import { onTestFinished } from 'vitest';
import type { JsonObject } from '../../../domain/json.ts';
import { startHttpServer } from '../../support/http-server.ts';
import { latch } from './scripted-upstream.ts';

export interface Tap {
  /** Ends in `/v1`. */
  readonly baseUrl: string;
  /** Each call's request, and its reply's bytes as far as they have passed. */
  readonly calls: { readonly body: JsonObject; readonly reply: Buffer[]; hungUp: boolean }[];
  /** From now on a reply stands still behind its first piece, until this is opened. */
  hold(): { open(): void };
}

/** Stands between the gateway and a real server: passes everything on as it comes, and remembers it. */
export async function startTap(target: string): Promise<Tap> {
  const calls: Tap['calls'] = [];
  let held = Promise.resolve();
  const server = await startHttpServer((incoming, outgoing) => void pass(incoming, outgoing));
  onTestFinished(() => server.close());

  async function pass(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const bytes = Buffer.concat(chunks);
    const call = {
      body: JSON.parse(bytes.toString('utf8')) as JsonObject,
      reply: [] as Buffer[],
      hungUp: false,
    };
    calls.push(call);
    const { method = 'POST', headers } = incoming;
    // A connection of its own: one that was kept may be closed by the server just as it is used again.
    const forwarded = send(new URL(incoming.url ?? '/', target), { method, headers, agent: false });
    outgoing.on('close', () => {
      call.hungUp = !outgoing.writableFinished;
      forwarded.destroy();
    });
    forwarded.on('error', () => outgoing.destroy());
    forwarded.on('response', (reply) => void passReply(reply, outgoing, call.reply));
    forwarded.end(bytes);
  }

  async function passReply(reply: IncomingMessage, outgoing: ServerResponse, seen: Buffer[]): Promise<void> {
    outgoing.writeHead(reply.statusCode ?? 502, reply.headers);
    try {
      for await (const chunk of reply) {
        seen.push(chunk as Buffer);
        outgoing.write(chunk);
        await held;
      }
      outgoing.end();
    } catch {
      outgoing.destroy();
    }
  }

  return {
    baseUrl: `${server.url}/v1`,
    calls,
    hold() {
      const gate = latch();
      held = gate.reached;
      return gate;
    },
  };
}
