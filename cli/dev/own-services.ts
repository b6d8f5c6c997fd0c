import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../../config/config.ts';
import { nodeService } from './node-service.ts';
import type { Service } from './service.ts';

/** The processes of our own code: both workers and the gateway. */
export function ownServices(config: Config, env: NodeJS.ProcessEnv, logsDir: string): Service[] {
  const worker = (name: string) =>
    nodeService({
      name: name.replace('-', ' '),
      entry: `workers/${name}.ts`,
      logFile: join(logsDir, `${name}.log`),
      env,
      isReady: (pid) => workerIsReady(config.home, name, pid),
    });
  return [
    worker('workflow-worker'),
    worker('activity-worker'),
    nodeService({
      name: 'gateway',
      entry: 'server/main.ts',
      logFile: join(logsDir, 'gateway.log'),
      env,
      isReady: () => gatewayIsReady(config),
    }),
  ];
}

/** A worker says in a file how it is (`workers/readiness.ts`); an earlier process's file does not count. */
async function workerIsReady(home: string, name: string, pid: number): Promise<boolean> {
  const status = JSON.parse(await readFile(join(home, 'workers', `${name}.json`), 'utf8')) as {
    pid: number;
    ready: boolean;
  };
  return status.pid === pid && status.ready;
}

async function gatewayIsReady(config: Config): Promise<boolean> {
  const reply = await fetch(`${config.gateway.url}/ready`, { signal: AbortSignal.timeout(3_000) });
  const { status } = (await reply.json()) as { status: string };
  return status === 'ready';
}
