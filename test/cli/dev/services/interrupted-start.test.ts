import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { startElasticsearch } from '../../../../cli/dev/services/elasticsearch.ts';
import { startModelServer } from '../../../../cli/dev/services/model-server.ts';
import { startPostgres } from '../../../../cli/dev/services/postgres.ts';
import { startTemporal } from '../../../../cli/dev/services/temporal.ts';
import { eventually } from '../../../support/eventually.ts';
import { freePort } from '../../../support/free-port.ts';

/** A server that runs and never answers, as one that recovers after a crash: its process id is in `pid`. */
async function setup() {
  const dir = await mkdtemp(join(tmpdir(), 'interrupted-start-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const silent = join(dir, 'silent-server');
  await writeFile(silent, `#!/bin/sh\necho $$ > ${dir}/pid\nexec sleep 600\n`);
  await chmod(silent, 0o755);
  const pid = async () => {
    let text = '';
    await eventually(async () => {
      text = await readFile(join(dir, 'pid'), 'utf8');
      expect(text).toMatch(/\d+\n/);
    });
    return Number(text);
  };
  const interruption = new AbortController();
  const interrupt = () => interruption.abort(new Error('interrupted'));
  return { dir, silent, pid, signal: interruption.signal, interrupt, port: await freePort() };
}

it('ends a Temporal server that is interrupted while it starts', async () => {
  const { silent, pid, signal, interrupt, port } = await setup();
  const options = { binary: silent, port, uiPort: null, databaseFile: null, onLine: () => {}, signal };

  const starting = startTemporal(options);
  const server = await pid();
  interrupt();

  await expect(starting).rejects.toThrow('interrupted');
  expect(isAlive(server)).toBe(false);
});

it('ends a model server that is interrupted while it starts', async () => {
  const { dir, silent, pid, signal, interrupt, port } = await setup();

  const starting = startModelServer({ python: silent, dataDir: dir, port, signal });
  const server = await pid();
  interrupt();

  await expect(starting).rejects.toThrow('interrupted');
  expect(isAlive(server)).toBe(false);
});

it('ends an Elasticsearch server that is interrupted while it starts', async () => {
  const { dir, silent, pid, signal, interrupt, port } = await setup();
  // Where we are root it runs as somebody else, who writes his process id here.
  await chmod(dir, 0o777);
  const distribution = join(dir, 'distribution');
  await mkdir(join(distribution, 'bin'), { recursive: true });
  await copyFile(silent, join(distribution, 'bin', 'elasticsearch'));

  const starting = startElasticsearch({ distribution, javaHome: dir, dir: join(dir, 'data'), port, signal });
  const server = await pid();
  interrupt();

  await expect(starting).rejects.toThrow('interrupted');
  expect(isAlive(server)).toBe(false);
});

it('ends a PostgreSQL server that is interrupted while it starts, and starts it the next time', async () => {
  const { dir, signal, interrupt, port } = await setup();
  const options = { dir: join(dir, 'postgres'), port, settings: { fsync: 'off' } };
  interrupt();

  await expect(startPostgres({ ...options, signal })).rejects.toThrow('interrupted');

  const next = await startPostgres(options);
  await next.stop();
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
