import { createServer } from 'node:net';
import { onTestFinished } from 'vitest';
import { respond, startHttpServer } from '../../support/http-server.ts';

/** A model server that answers what it was asked. */
export async function startEcho(): Promise<string> {
  let calls = 0;
  const server = await startHttpServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      calls += 1;
      const { messages } = JSON.parse(Buffer.concat(chunks).toString()) as {
        messages: { content: string }[];
      };
      const message = { role: 'assistant', content: messages.at(-1)?.content };
      respond(response, 200, { id: `c${calls}`, choices: [{ index: 0, message, finish_reason: 'stop' }] });
    });
  });
  onTestFinished(() => server.close());
  return server.url;
}

/** The port of a server that takes connections and never says a word. */
export async function startSilence(): Promise<number> {
  const sockets = new Set<{ destroy(): void }>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => {
      server.close(resolve);
    });
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  return address.port;
}
