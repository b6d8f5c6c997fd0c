import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { cliWith } from './support/cli.ts';

interface Shown {
  readonly token: string;
  readonly id: string;
  readonly client: string;
}

async function setup() {
  const home = await mkdtemp(join(tmpdir(), 'flywheel-tokens-'));
  onTestFinished(() => rm(home, { recursive: true, force: true }));
  return { run: cliWith({ FLYWHEEL_HOME: home }), file: join(home, 'tokens.json') };
}

test('a token is shown once, stored as a hash that only its owner can read, and listed', async () => {
  const { run, file } = await setup();

  const made = (await run('token', 'create', '--client', 'web', '--role', 'read,ingest', '--json')).json();
  const { token, id } = made as Shown;
  const list = await run('token', 'list');

  expect(token).toMatch(/^fw_[0-9a-f]{12}_[0-9a-f]{64}$/);
  expect(list.stdout).toContain(id);
  expect(list.stdout).toContain('ingest, read');
  expect(await readFile(file, 'utf8')).not.toContain(token.split('_')[2]);
  expect((await stat(file)).mode & 0o077).toBe(0);
});

test('tokens made at the same moment are all kept, and one can be revoked', async () => {
  const { run, file } = await setup();
  // Processes of their own, as two people at two terminals are.
  const create = async (client: string) => {
    const args = ['cli/bin.js', 'token', 'create', '--client', client, '--role', 'ingest', '--json'];
    const env = { ...process.env, FLYWHEEL_HOME: dirname(file) };
    return JSON.parse((await promisify(execFile)(process.execPath, args, { env })).stdout) as Shown;
  };

  const [a, b, c] = await Promise.all(['a', 'b', 'c'].map(create));
  const revoked = await run('token', 'revoke', b?.id ?? '');
  const left = (await run('token', 'list', '--json')).json() as Shown[];

  expect(revoked.code).toBe(0);
  expect(left.map(({ id }) => id).sort()).toEqual([a?.id, c?.id].sort());
  expect((await run('token', 'revoke', b?.id ?? '')).stderr).toMatch(/There is no token/);
}, 180_000);

test.each([
  ['an unknown role', ['--client', 'web', '--role', 'admin'], /no role "admin"/],
  ['a nameless approver', ['--client', '*', '--role', 'approve'], /client \* may only have the role ingest/],
  ['a client with spaces', ['--client', 'my app', '--role', 'ingest'], /must be 1 to 200/],
  ['no role', ['--client', 'web'], /required option '--role/],
])('%s is exit code 2', async (_, args, message) => {
  const { run } = await setup();

  const { code, stderr } = await run('token', 'create', ...args);

  expect(code).toBe(2);
  expect(stderr).toMatch(message);
});
