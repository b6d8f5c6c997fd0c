import type { IncomingMessage, ServerResponse } from 'node:http';
import { respond, startHttpServer } from './http-server.ts';

type Tamper = (body: string) => { forward: string; mend: (reply: string) => string };

export interface HttpProxy {
  readonly url: string;
  /** The next bulk requests are changed on their way, and so are their replies. */
  onBulk(tamper: Tamper, options: { times: number }): void;
  /** The next requests whose path holds `path` are answered so, without reaching the server. */
  refuse(status: number, options: { times: number; path: string }): void;
  /** Records in each bulk request of the records' index, as they came. */
  bulkSizes(): number[];
  /** Bodies of the searches. */
  searches(): string[];
  close(): Promise<void>;
}

/** Stands before a real Elasticsearch, to do what a healthy one will not do on demand. */
export async function startHttpProxy(target: string): Promise<HttpProxy> {
  const sizes: number[] = [];
  const searches: string[] = [];
  let tampering: { tamper: Tamper; times: number } | null = null;
  let refusing: { status: number; times: number; path: string } | null = null;

  async function pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString('utf8');
    const path = request.url ?? '/';
    if (path.includes('_search')) searches.push(body);
    if (refusing && refusing.times > 0 && path.includes(refusing.path)) {
      refusing.times -= 1;
      const error = { type: 'es_rejected_execution_exception', reason: 'busy' };
      return respond(response, refusing.status, { error, status: refusing.status }, product);
    }
    const isBulk = path.includes('_bulk') && body.includes('"create"');
    if (isBulk) sizes.push(body.trimEnd().split('\n').length / 2);
    const change = isBulk && tampering && tampering.times-- > 0 ? tampering.tamper(body) : null;
    const { method = 'GET', headers } = request;
    const reply = await fetch(new URL(path, target), {
      method,
      headers: {
        ...(headers['content-type'] && { 'content-type': headers['content-type'] }),
        ...(headers.accept && { accept: headers.accept }),
      },
      ...(body !== '' && { body: change?.forward ?? body }),
    });
    const text = await reply.text();
    response.writeHead(reply.status, {
      'content-type': reply.headers.get('content-type') ?? 'application/json',
      ...product,
    });
    response.end(change ? change.mend(text) : text);
  }

  const server = await startHttpServer((request, response) => {
    pass(request, response).catch(() => response.destroy());
  });
  return {
    ...server,
    onBulk(tamper, { times }) {
      tampering = { tamper, times };
    },
    refuse(status, { times, path }) {
      refusing = { status, times, path };
    },
    bulkSizes: () => sizes,
    searches: () => searches,
  };
}

const product = { 'x-elastic-product': 'Elasticsearch' };
