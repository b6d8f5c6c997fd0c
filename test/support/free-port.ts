import { createServer } from 'node:net';

/**
 * A loopback port at which nothing listens, drawn from those that no system gives away by itself: out of Linux's range
 * for outgoing connections (from 32768) another process's could take it before, or between two starts of, its server.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
