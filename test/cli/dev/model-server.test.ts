import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startModelServer } from '../../../cli/dev/services/model-server.ts';
import { pythonPath } from '../../../cli/setup/python-environment.ts';
import { shippedModels } from '../../../config/local-models.ts';
import { freePort } from '../../support/free-port.ts';

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'flywheel-model-server-'));
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

async function isUp(url: string): Promise<boolean> {
  return fetch(`${url}/health`).then(
    (response) => response.ok,
    () => false,
  );
}

test('it answers once it is started, managed, and is gone once it is stopped', async () => {
  const server = await startModelServer({ python: await pythonPath(), dataDir, port: await freePort() });

  const health: unknown = await (await fetch(`${server.url}/health`)).json();
  await server.stop();

  expect(health).toMatchObject({ status: 'ok', managed: true });
  expect(await isUp(server.url)).toBe(false);
  await expect(server.exited).resolves.toBeDefined();
  // Stopping what has ended is harmless.
  await server.stop();
}, 180_000);

test('it serves the models that it is told, under their names, and answers as one named by a folder', async () => {
  const nano = shippedModels()['nano-1m'] ?? '';
  const models = { 'nano-1m': nano, './mine/nano': nano };
  const server = await startModelServer({
    python: await pythonPath(),
    dataDir,
    port: await freePort(),
    models,
  });

  const listed = (await (await fetch(`${server.url}/v1/models`)).json()) as { data: { id: string }[] };
  const answer = await fetch(`${server.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      model: './mine/nano',
      messages: [{ role: 'user', content: 'Hi' }],
      max_tokens: 1,
    }),
  });
  const reply: unknown = await answer.json();
  await server.stop();

  expect(listed.data.map(({ id }) => id)).toEqual(['nano-1m', './mine/nano']);
  expect(reply).toMatchObject({ model: './mine/nano' });
}, 180_000);

test('a taken port is refused before anything is started', async () => {
  const squatter = createServer().listen(0, '127.0.0.1');
  await once(squatter, 'listening');
  const address = squatter.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;

  const starting = startModelServer({ python: 'never-run', dataDir, port });

  await expect(starting).rejects.toMatchObject({ name: 'ConflictError' });
  await expect(starting).rejects.toThrow(`Port ${port} is taken`);
  squatter.close();
});

test('a server that ends while starting is reported with the end of its log', async () => {
  const starting = startModelServer({ python: '/bin/false', dataDir, port: await freePort() });

  await expect(starting).rejects.toMatchObject({ name: 'UnavailableError' });
  await expect(starting).rejects.toThrow('ended while starting');
});

test('an interpreter that does not exist is reported', async () => {
  const starting = startModelServer({ python: '/no/such/python', dataDir, port: await freePort() });

  await expect(starting).rejects.toThrow('/no/such/python');
});

test('it ends with its parent, even when that is killed', async () => {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const script = `
    const { startModelServer } = await import(${JSON.stringify(new URL('../../../cli/dev/services/model-server.ts', import.meta.url).href)});
    await startModelServer(${JSON.stringify({ python: await pythonPath(), dataDir, port })});
    console.log('up');
    setInterval(() => {}, 1000);
  `;
  const parent = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(parent.stdout, 'data');
  expect(await isUp(url)).toBe(true);

  parent.kill('SIGKILL');

  await expect.poll(() => isUp(url), { timeout: 30_000 }).toBe(false);
}, 180_000);
