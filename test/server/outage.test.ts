import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import postgres from 'postgres';
import { expect, test } from 'vitest';
import { createLog } from '../../server/log.ts';
import { startServer } from '../../server/start-server.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { ask, moveRoute, serving, setup, startModel, storedIds } from './support/gateway.ts';
import { spawnGateway } from './support/spawn-gateway.ts';

interface Ready {
  readonly status: string;
  readonly dependencies: { readonly lineage: { ok: boolean }; readonly logStore: { ok: boolean } };
  readonly journal: { readonly waiting: number; readonly overflowed: number; readonly bytes: number };
}

async function readyOf(url: string): Promise<Ready> {
  return (await (await fetch(`${url}/ready`)).json()) as Ready;
}

async function askMany(url: string, n: number): Promise<(string | null)[]> {
  const ids: (string | null)[] = [];
  for (let i = 0; i < n; i += 1) ids.push((await ask(url)).headers.get('x-flywheel-record-id'));
  return ids;
}

test('while the log store is down calls go on, and their records arrive later, each once', async () => {
  const bundle = await setup({ upstream: await startModel() });
  const { url } = await bundle.start();
  const before = await askMany(url, 3);
  await eventually(async () => expect(await storedIds(bundle)).toHaveLength(3));

  await bundle.postgres.cut();
  const during = await askMany(url, 5);
  await eventually(async () => {
    expect(await readyOf(url)).toMatchObject({
      status: 'degraded',
      dependencies: { lineage: { ok: false }, logStore: { ok: false } },
      journal: { waiting: 5, overflowed: 0 },
    });
  });
  await bundle.postgres.restore();

  await eventually(async () =>
    expect((await storedIds(bundle)).sort()).toEqual([...before, ...during].sort()),
  );
  await eventually(async () =>
    expect(await readyOf(url)).toMatchObject({ status: 'ready', journal: { waiting: 0 } }),
  );
});

test('last-known routes serve through an outage of PostgreSQL, and through a restart during it', async () => {
  const provider = await startModel();
  const bundle = await setup({ upstream: await startModel(), provider });
  await moveRoute(bundle, { moveId: 'm1', serving });
  const first = await bundle.start();
  expect((await ask(first.url)).headers.get('x-flywheel-model')).toBe('ft:nano:1');

  await bundle.postgres.cut();
  expect((await ask(first.url)).headers.get('x-flywheel-model')).toBe('ft:nano:1');
  expect(
    (await ask(first.url, { headers: { 'cache-control': 'no-cache' } })).headers.get('x-flywheel-route'),
  ).toBe('1');
  await first.stop();
  const second = await bundle.start();

  expect((await ask(second.url)).headers.get('x-flywheel-model')).toBe('ft:nano:1');
  expect(provider.asked).toHaveLength(4);
  await bundle.postgres.restore();
  await eventually(async () => expect(await storedIds(bundle)).toHaveLength(4));
});

test('a first start without PostgreSQL says that it cannot know the routes', async () => {
  const bundle = await setup({ upstream: await startModel() });
  await bundle.postgres.cut();
  const { url } = await bundle.start();

  const reply = await fetch(`${url}/ready`);

  expect(reply.status).toBe(503);
  expect(await reply.json()).toMatchObject({ status: 'unavailable', routes: { known: false } });
  await bundle.postgres.restore();
});

test('the journal is bounded: what does not fit is counted, and the call is answered all the same', async () => {
  const bundle = await setup({ upstream: await startModel(), spoolMaxBytes: 2_000 });
  const { url } = await bundle.start();
  await bundle.postgres.cut();

  const ids = await askMany(url, 10);

  const kept = ids.filter((id) => id !== null);
  const { journal } = await readyOf(url);
  expect(kept.length).toBeGreaterThan(0);
  expect(kept.length).toBeLessThan(10);
  expect(journal).toMatchObject({ waiting: kept.length, overflowed: 10 - kept.length });
  expect(journal.bytes).toBeLessThanOrEqual(2_000);
  expect(bundle.logged.join('')).toContain('journal_overflow');
  await bundle.postgres.restore();
  await eventually(async () => expect((await storedIds(bundle)).sort()).toEqual(kept.sort()));
});

test('a record that the store refuses is set aside and does not hold up the others', async () => {
  const bundle = await setup({ upstream: await startModel() });
  const { url } = await bundle.start();
  // A timestamp that our own door lets pass but the store’s column cannot hold would do; a hook refuses here.
  await refuseClient(bundle.config.database.url, 'poison');

  const good = [await ask(url), await ask(url, { headers: { 'x-client-id': 'poison' } }), await ask(url)]
    .map(({ headers }) => headers.get('x-flywheel-record-id'))
    .filter((_, index) => index !== 1);

  await eventually(async () => expect((await storedIds(bundle)).sort()).toEqual([...good].sort()));
  await eventually(async () =>
    expect(await readyOf(url)).toMatchObject({ journal: { waiting: 0, refused: 1 } }),
  );
  expect(await readdir(bundle.config.gateway.spoolDir)).toContain('refused.jsonl');
});

test('a gateway that is killed loses no record that it wrote down', async () => {
  const bundle = await setup({ upstream: await startModel() });
  const port = await freePort();
  await bundle.postgres.cut();
  const gateway = await spawnGateway(bundle.config, port);
  const ids = await askMany(gateway.url, 20);
  await eventually(async () => expect(await linesIn(bundle.config.gateway.spoolDir)).toBe(20));

  await gateway.kill();
  await bundle.postgres.restore();
  await bundle.start();

  await eventually(async () => expect((await storedIds(bundle)).sort()).toEqual([...ids].sort()));
}, 180_000);

test('a second gateway on the same port fails before it touches the journal', async () => {
  const bundle = await setup({ upstream: await startModel() });
  const first = await bundle.start();
  const port = Number(new URL(first.url).port);
  // Of its own, so that whatever it did there would show.
  const spoolDir = join(bundle.config.home, 'spool-of-the-second');

  const second = startServer(
    { ...bundle.config, gateway: { ...bundle.config.gateway, port, spoolDir } },
    createLog(() => undefined),
  );

  await expect(second).rejects.toThrow('EADDRINUSE');
  await expect(readdir(spoolDir)).rejects.toThrow('ENOENT');
});

/** Records on disk. */
async function linesIn(folder: string): Promise<number> {
  const names = (await readdir(folder)).filter((name) => /^\d+\./.test(name));
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
  return texts.join('').split('\n').length - 1;
}

/** Makes the database refuse one client’s records, as it would refuse data that it cannot hold. */
async function refuseClient(url: string, clientId: string): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  await sql.unsafe(
    `alter table flywheel_logs.records add constraint refuse_${clientId} check (client_id <> '${clientId}')`,
  );
  await sql.end();
}
