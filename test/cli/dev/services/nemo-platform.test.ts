import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startNemoPlatform } from '../../../../cli/dev/services/nemo-platform.ts';
import { prepareNemoPlatform } from '../../../../cli/setup/nemo-platform-environment.ts';
import { freePort } from '../../../support/free-port.ts';
import { respond, startHttpServer } from '../../../support/http-server.ts';

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'flywheel-nemo-service-'));
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

test('a platform that would never start a job is not ready, though it calls itself healthy', async () => {
  const tools = await prepareNemoPlatform(console.log);
  const port = await freePort();
  const seen: unknown[] = [];
  const watch = setInterval(() => void healthOf(port).then((health) => health && seen.push(health)), 2_000);

  const starting = startNemoPlatform({ ...tools, dataDir, port, controllers: ['entities'] });

  await expect(starting).rejects.toThrow(
    'calls itself healthy, but runs no job_scheduler and no job_reconciler',
  );
  clearInterval(watch);
  expect(seen).toContain('healthy');
  expect(await healthOf(port)).toBeNull();
}, 400_000);

test('a port that somebody has is named, before anything is started', async () => {
  const other = await startHttpServer((_, response) => respond(response, 200, {}));
  const port = Number(new URL(other.url).port);

  const starting = startNemoPlatform({ python: 'no-such-python', pluginDir: '/nowhere', dataDir, port });

  await expect(starting).rejects.toThrow(`Port ${port} is taken`);
  await other.close();
});

async function healthOf(port: number): Promise<string | null> {
  try {
    const reply = await fetch(`http://127.0.0.1:${port}/status`);
    return ((await reply.json()) as { status: string }).status;
  } catch {
    return null;
  }
}
