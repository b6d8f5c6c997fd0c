import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chown, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import {
  type PostgresOptions,
  type PostgresService,
  startPostgres,
} from '../../../../cli/dev/services/postgres.ts';
import { embeddedDatabasePassword } from '../../../../config/embedded-database.ts';
import { freePort } from '../../../support/free-port.ts';

/** One cluster for all tests here: each leaves it stopped, with its data. */
let options: PostgresOptions;
beforeAll(async () => {
  const dir = await mkdtemp(join(tmpdir(), 'flywheel-postgres-'));
  options = { dir, port: await freePort(), settings: { fsync: 'off' } };
});
afterAll(() => rm(options.dir, { recursive: true, force: true }));

it('starts, keeps its data from start to start and its password to itself', async () => {
  const first = await started();
  await query(first, `create table kept as select 'still here' as what`);
  await first.stop();

  const second = await started();

  expect(await query(second, 'select what from kept')).toEqual([{ what: 'still here' }]);
  expect(await query(second, 'show listen_addresses')).toEqual([{ listen_addresses: '127.0.0.1' }]);
  expect((await stat(join(options.dir, 'password'))).mode & 0o777).toBe(0o600);
  expect(embeddedDatabasePassword(options.dir)).toHaveLength(48);
  const guessed = second.url.replace(/:[^:@]*@/, ':guessed@');
  await expect(query({ url: guessed }, 'select 1')).rejects.toThrow(/password authentication failed/);
});

it('tells its caller when it crashes, and recovers at the next start', async () => {
  const crashed = await started();
  await query(crashed, `create table survivor as select 7 as n`);

  process.kill(crashed.pid, 'SIGKILL');

  expect(await crashed.exited).toEqual({ code: null, signal: 'SIGKILL' });
  await crashed.stop();
  const next = await started();
  expect(await query(next, 'select n from survivor')).toEqual([{ n: 7 }]);
});

it('ends with a parent that is killed, and starts again under another', async () => {
  const { parent } = await startedByAnotherProcess();
  expect(isLocked()).toBe(true);

  parent.kill('SIGKILL');

  await expect.poll(isLocked, { timeout: 15_000 }).toBe(false);
  const next = await started();
  expect(await query(next, 'select 1 as one')).toEqual([{ one: 1 }]);
});

it('refuses a folder that another supervisor uses', async () => {
  const { parent } = await startedByAnotherProcess();

  await expect(startPostgres(options)).rejects.toMatchObject({
    name: 'ConflictError',
    message: expect.stringContaining(`started by process ${parent.pid}`),
  });
});

it('is not deceived by the lock file of a process that has another life now', async () => {
  const path = join(options.dir, 'data', 'postmaster.pid');
  await writeFile(path, `${process.pid}\n${join(options.dir, 'data')}\n1\n${options.port}\n\n\n\nready\n`);
  const { uid, gid } = await stat(join(options.dir, 'data'));
  await chown(path, uid, gid);

  const service = await started();

  expect(await query(service, 'select 1 as one')).toEqual([{ one: 1 }]);
});

it('says that its port is taken', async () => {
  const squatter = createServer().listen(options.port, '127.0.0.1');
  onTestFinished(() => void squatter.close());

  await expect(startPostgres(options)).rejects.toMatchObject({
    name: 'ConflictError',
    message: expect.stringContaining(`Port ${options.port} is taken`),
  });
});

it('says why it does not start', async () => {
  const broken = { ...options, settings: { shared_buffers: 'plenty' } };

  await expect(startPostgres(broken)).rejects.toMatchObject({
    name: 'UnavailableError',
    message: expect.stringContaining('shared_buffers'),
  });
});

it('may be stopped twice', async () => {
  const service = await started();

  await Promise.all([service.stop(), service.stop()]);
  await service.stop();

  expect((await service.exited).code).toBe(0);
  expect(isLocked()).toBe(false);
});

async function started(): Promise<PostgresService> {
  const service = await startPostgres(options);
  onTestFinished(() => service.stop());
  return service;
}

/** A parent of its own, to be killed. */
async function startedByAnotherProcess(): Promise<{ parent: ChildProcess }> {
  const service = new URL('../../../../cli/dev/services/postgres.ts', import.meta.url).href;
  const script = `
    const { startPostgres } = await import(${JSON.stringify(service)});
    await startPostgres(${JSON.stringify(options)});
    console.log('started');`;
  const parent = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  parent.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await expect.poll(() => output, { timeout: 60_000 }).toContain('started');
  onTestFinished(async () => {
    parent.kill('SIGKILL');
    while (isLocked()) await sleep(20);
  });
  return { parent };
}

async function query({ url }: { url: string }, text: string): Promise<unknown[]> {
  const client = postgres(url, { max: 1, onnotice: () => undefined });
  try {
    return [...(await client.unsafe(text))];
  } finally {
    await client.end({ timeout: 5 });
  }
}

/** PostgreSQL removes its lock file as the last thing it does. */
function isLocked(): boolean {
  return existsSync(join(options.dir, 'data', 'postmaster.pid'));
}
