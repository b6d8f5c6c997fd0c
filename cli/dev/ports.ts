import { createServer } from 'node:net';
import type { Config } from '../../config/config.ts';
import { ConflictError } from '../../domain/errors.ts';

interface Listener {
  readonly service: string;
  readonly host: string;
  readonly port: number;
}

/** What a stack of this configuration listens on itself. */
export function listeners(config: Config): Listener[] {
  const { temporal, database, logStore, modelServer, nemoPlatform, gateway } = config;
  const local = (service: string, port: number): Listener => ({ service, host: '127.0.0.1', port });
  return [
    ...(temporal.embedded ? [local('Temporal', temporalPort(config))] : []),
    ...(temporal.embedded && temporal.uiUrl
      ? [local('Temporal UI', Number(new URL(temporal.uiUrl).port))]
      : []),
    ...(database.embedded ? [local('PostgreSQL', Number(new URL(database.url).port))] : []),
    ...(logStore.kind === 'elasticsearch' && logStore.embedded
      ? [local('Elasticsearch', Number(new URL(logStore.url).port))]
      : []),
    ...(modelServer.embedded ? [local('model server', Number(new URL(modelServer.url).port))] : []),
    ...(nemoPlatform ? [local('NeMo Platform', Number(new URL(nemoPlatform.url).port))] : []),
    { service: 'gateway', host: gateway.host, port: gateway.port },
  ];
}

export function temporalPort({ temporal }: Config): number {
  return Number(temporal.address.slice(temporal.address.lastIndexOf(':') + 1));
}

/** Throws `ConflictError` naming every port that is taken, and by which service it is needed. */
export async function requireFreePorts(config: Config): Promise<void> {
  const needed = listeners(config);
  const free = await Promise.all(needed.map(isFree));
  const taken = needed.filter((_, index) => !free[index]);
  if (taken.length === 0) return;
  const list = taken.map(({ service, port }) => `${port} (${service})`).join(', ');
  throw new ConflictError(
    `${taken.length === 1 ? 'This port is' : 'These ports are'} taken by another program: ${list}. ` +
      `Stop it, or move all ports, such as by --port-offset ${config.portOffset + 100}.`,
  );
}

function isFree({ host, port }: Listener): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
