import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { repositoryRoot } from '../../../config/config.ts';
import { eventually } from '../../support/eventually.ts';

/** A fresh clone in small: the real bootstrap, the real npm, and one package whose installation takes its time. */
function setup() {
  const root = mkdtempSync(join(tmpdir(), 'flywheel-setup-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  for (const folder of ['cli/setup', 'slow']) mkdirSync(join(root, folder), { recursive: true });
  for (const name of ['bootstrap.js', 'exclusive.js', 'process-identity.js'])
    copyFileSync(join(repositoryRoot, 'cli/setup', name), join(root, 'cli/setup', name));
  const write = (path: string, contents: unknown) =>
    writeFileSync(join(root, path), typeof contents === 'string' ? contents : JSON.stringify(contents));
  const clone = { name: 'clone', version: '1.0.0', dependencies: { slow: 'file:slow' } };
  write('package.json', { ...clone, type: 'module', scripts: { install: 'node slow-install.js' } });
  write('slow/package.json', { name: 'slow', version: '1.0.0' });
  write('package-lock.json', {
    name: 'clone',
    version: '1.0.0',
    lockfileVersion: 3,
    requires: true,
    packages: {
      '': { ...clone, hasInstallScript: true },
      'node_modules/slow': { resolved: 'slow', link: true },
      slow: { version: '1.0.0' },
    },
  });
  write(
    'slow-install.js',
    `import { appendFileSync, existsSync } from 'node:fs';
     appendFileSync('began', 'x');
     while (!existsSync('may-end')) await new Promise((resolve) => setTimeout(resolve, 20));`,
  );
  write(
    'start.js',
    `import { ensureNodePackages } from './cli/setup/bootstrap.js';
     await ensureNodePackages();
     console.log('installed');`,
  );
  return {
    /** How often npm has begun to install. */
    begun: () => (existsSync(join(root, 'began')) ? readFileSync(join(root, 'began'), 'utf8').length : 0),
    letItEnd: () => write('may-end', ''),
    isMarked: () => existsSync(join(root, 'node_modules/.flywheel-installed')),
    start: () => start(root),
  };
}

/** A process group of its own, as a shell gives to what is typed. */
function start(root: string): { child: ChildProcess; ended: Promise<{ code: number | null; said: string }> } {
  const child = spawn(process.execPath, ['start.js'], {
    cwd: root,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, said }));
  return { child, ended };
}

it.each(['SIGINT', 'SIGKILL'] as const)(
  'goes on after a set-up that %s ended half way, and leaves alone what is installed',
  async (signal) => {
    const { begun, letItEnd, isMarked, start: startSetup } = setup();
    const first = startSetup();
    await eventually(() => expect(begun()).toBe(1), 30_000);

    process.kill(-(first.child.pid ?? 0), signal);
    const interrupted = await first.ended;

    expect(interrupted.code).not.toBe(0);
    expect(isMarked()).toBe(false);
    letItEnd();
    expect(await startSetup().ended).toMatchObject({ code: 0, said: expect.stringContaining('installed') });
    expect(isMarked()).toBe(true);
    expect(await startSetup().ended).toEqual({ code: 0, said: 'installed\n' });
    expect(begun()).toBe(2);
  },
);

it('installs once when two set-ups start together', async () => {
  const { begun, letItEnd, start: startSetup } = setup();
  const both = [startSetup(), startSetup()];
  await eventually(() => expect(begun()).toBe(1), 30_000);

  letItEnd();
  const [one, two] = await Promise.all(both.map(({ ended }) => ended));

  expect([one?.code, two?.code]).toEqual([0, 0]);
  expect(begun()).toBe(1);
});
