import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { claimHome, findRunningStack } from '../../../cli/dev/home-claim.ts';
import { identify, isRunning } from '../../../cli/setup/process-identity.js';

function setup() {
  const home = mkdtempSync(join(tmpdir(), 'flywheel-home-'));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  const lines: string[] = [];
  return { home, lines, claim: () => claimHome(home, 0, (line) => lines.push(line)) };
}

function record(home: string, supervisor: object, services: object = {}): void {
  const contents = { supervisor, since: '2026-01-01T00:00:00.000Z', portOffset: 0, ready: true, services };
  writeFileSync(join(home, 'stack.json'), JSON.stringify(contents));
}

it('lets one supervisor have a home, and refuses a second one by name', async () => {
  const { home, claim } = setup();
  await claim();

  await expect(claim()).rejects.toThrow(`Another copy runs for ${home} (process ${process.pid}`);
});

it('gives the home back', async () => {
  const { home, claim } = setup();

  (await claim()).release();

  expect(findRunningStack(home)).toBeNull();
  await claim();
});

it('tells others whether the stack is ready and what it consists of', async () => {
  const { home, claim } = setup();
  const claimed = await claim();

  claimed.setService('gateway', process.ppid);
  const before = findRunningStack(home);
  claimed.setReady();

  expect(before).toMatchObject({ ready: false, services: { gateway: { pid: process.ppid } } });
  expect(findRunningStack(home)).toMatchObject({ ready: true });
});

it('takes over from a supervisor that was killed and ends what it left behind', async () => {
  const { home, lines, claim } = setup();
  // Deaf to SIGTERM, as a hanging server is.
  const script = "process.on('SIGTERM', () => {}); console.log('up'); setInterval(() => {}, 1000)";
  const leftover = spawn(process.execPath, ['-e', script], {
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  await new Promise((resolve) => leftover.stdout.once('data', resolve));
  const identity = identify(leftover.pid ?? -1);
  record(home, { pid: 2 ** 22 + 1, began: '0' }, { 'model server': identity });

  await claim();

  expect(lines).toEqual(['A stack here was killed and left model server; ending it first.']);
  expect(identity !== null && isRunning(identity)).toBe(false);
});

it('never mistakes a later process with the same id for the one it knew', async () => {
  const { home, lines, claim } = setup();
  record(home, { pid: process.ppid, began: 'earlier' }, { gateway: { pid: process.ppid, began: 'earlier' } });

  await claim();

  expect(lines).toEqual([]);
  expect(JSON.parse(readFileSync(join(home, 'stack.json'), 'utf8'))).toMatchObject({
    supervisor: { pid: process.pid },
  });
});
