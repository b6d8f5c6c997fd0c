import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { basePorts, repositoryRoot } from '../../../config/config.ts';
import { eventually } from '../../support/eventually.ts';
import { freePort } from '../../support/free-port.ts';

/** `npm run contract-server:nemo-v1 -- …`, without npm, which would not pass signals on. */
function start(...args: string[]): ChildProcess & { readonly output: Promise<string> } {
  const { scripts } = JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const [, ...words] = (scripts['contract-server:nemo-v1'] ?? '').split(' ');
  const child = spawn(process.execPath, [...words, ...args], { cwd: repositoryRoot, stdio: 'pipe' });
  return Object.assign(child, { output: text(child.stdout) });
}

test('the command serves platform, NIM proxy and Data Store on one port until it is told to stop', async () => {
  const port = await freePort();
  const child = start('--port', String(port));
  const exit = once(child, 'exit');
  const get = async (path: string) => (await fetch(`http://127.0.0.1:${port}${path}`)).json();

  const targets = await eventually(() => get('/v1/customization/targets'), 120_000);
  const models = await get('/nim/v1/models');
  child.kill('SIGTERM');

  expect(targets).toMatchObject({ data: [{ name: 'nano-1m@2.0' }, { name: 'nano-4m@2.0' }] });
  expect(models).toMatchObject({ data: [{ id: 'flywheel/nano-1m' }] });
  expect(await exit).toEqual([0, null]);
  expect(await child.output).toContain(`Data Store  http://127.0.0.1:${port}/data-store`);
}, 180_000);

test('its help names the model server of `flywheel dev`', async () => {
  const help = await start('--help').output;

  expect(help).toContain(`http://127.0.0.1:${basePorts.modelServer}`);
  expect(help).toContain('--for-blueprint');
}, 180_000);
