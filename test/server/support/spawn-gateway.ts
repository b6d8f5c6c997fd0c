import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { eventually } from '../../support/eventually.ts';

/** A gateway in a process of its own, to be killed. */
export async function spawnGateway(
  config: { home: string; database: { url: string }; gateway: { upstream: { baseUrl: string } | null } },
  port: number,
): Promise<{ url: string; kill(): Promise<void> }> {
  const child = spawn(process.execPath, ['--import', 'tsx', join('server', 'main.ts')], {
    env: {
      ...process.env,
      FLYWHEEL_HOME: config.home,
      DATABASE_URL: config.database.url,
      FLYWHEEL_GATEWAY_PORT: String(port),
      FLYWHEEL_UPSTREAM_URL: config.gateway.upstream?.baseUrl ?? '',
    },
    stdio: 'ignore',
  });
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
  });
  const kill = () => {
    child.kill('SIGKILL');
    return ended;
  };
  onTestFinished(kill);
  const url = `http://127.0.0.1:${port}`;
  await eventually(async () => {
    const reply = await fetch(`${url}/health`);
    expect(await reply.json()).toEqual({ status: 'ok' });
    // Compiling it all takes a second, and half a minute where others compile as well.
  }, 90_000);
  return { url, kill };
}
