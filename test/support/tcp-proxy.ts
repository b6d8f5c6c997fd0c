import { connect, createServer, type Socket } from 'node:net';

export interface TcpProxy {
  /** The given address, as reached through the proxy. */
  readonly url: string;
  /** Not cut, or restored since. */
  isOpen(): boolean;
  /** From now on: existing connections break, new ones are refused. */
  cut(): Promise<void>;
  restore(): Promise<void>;
  close(): Promise<void>;
}

/** Stands between a client and a real server, so that a test can take the server away and give it back. */
export async function startTcpProxy(url: string): Promise<TcpProxy> {
  const target = new URL(url);
  const sockets = new Set<Socket>();
  let open = true;
  const server = createServer((client) => {
    // Accepted by the kernel before the cut, told to us after it.
    if (!open) return client.destroy();
    const upstream = connect(Number(target.port), target.hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
      socket.on('error', () => {
        client.destroy();
        upstream.destroy();
      });
    }
    client.pipe(upstream).pipe(client);
  });
  const listen = (port: number) => new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  await listen(0);
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  const { port } = address;
  const through = new URL(url);
  through.hostname = '127.0.0.1';
  through.port = String(port);
  const cut = () =>
    new Promise<void>((resolve) => {
      open = false;
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
    });
  return {
    url: through.href,
    isOpen: () => open,
    cut,
    restore: () => {
      open = true;
      return listen(port);
    },
    close: cut,
  };
}
