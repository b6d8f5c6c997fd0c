import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openRecordStore } from '../../wiring/open-record-store.ts';
import { eventually } from '../support/eventually.ts';
import { ask, setup, startModel, storedIds } from './support/gateway.ts';

const policy = `
workloads:
  hr:
    redaction: { kinds: [email] }
`;
const secret = 'ana@example.org';
const body = { model: 'big', messages: [{ role: 'user', content: `I am ${secret}` }] };
const record = {
  ...{ id: 'sent', timestamp: '2026-01-02T03:04:05Z', workload_id: 'hr', client_id: 'c1', request: body },
  response: { choices: [{ index: 0, message: { role: 'assistant', content: 'Hello.' } }] },
};

test('nothing that a policy redacts reaches the disk or the log store, by whatever door', async () => {
  const upstream = await startModel();
  const bundle = await setup({ upstream });
  await writeFile(bundle.config.policiesFile.path, policy);
  const { url } = await bundle.start();
  await bundle.postgres.cut();

  const called = await ask(url, { body });
  const sent = await fetch(`${url}/v1/records`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(record),
  });
  const other = await ask(url, { body, headers: { 'x-workload-id': 'other' } });

  expect([called.status, sent.status, other.status]).toEqual([200, 200, 200]);
  // The model is asked what the application asked: only what is kept is redacted.
  expect(upstream.asked[0]?.body).toEqual(body);
  const onDisk = await eventually(async () => {
    const lines = await spooled(bundle.config.gateway.spoolDir);
    expect(lines).toHaveLength(3);
    return lines;
  });
  expect(onDisk.filter((line) => line.includes(secret))).toEqual([expect.stringContaining('"other"')]);
  await bundle.postgres.restore();
  await eventually(async () => expect(await storedIds(bundle)).toHaveLength(2));
  expect(await bundle.logStore.get(['sent'])).toMatchObject([
    { request: { messages: [{ content: 'I am [email]' }] }, extra: { redacted: { email: 1 } } },
  ]);
});

test('a record that goes straight to the log store passes the same door', async () => {
  const bundle = await setup();
  await writeFile(bundle.config.policiesFile.path, policy);
  const store = openRecordStore({ ...bundle.config, logStore: { kind: 'postgres' } });

  await store.insert([record]);
  await store.close();

  expect(JSON.stringify(await bundle.logStore.get(['sent']))).not.toContain(secret);
});

test.each([
  ['that cannot be read', 'workloads: ['],
  ['that is empty', ''],
])('a changed policy works on a running gateway; one %s changes nothing', async (_, broken) => {
  const bundle = await setup({ upstream: await startModel() });
  const { path } = bundle.config.policiesFile;
  const { url } = await bundle.start();

  await writeFile(path, policy);
  await eventually(async () => expect(await keptOf(await ask(url, { body }))).not.toContain(secret));
  await writeFile(path, broken);
  await eventually(async () => {
    await ask(url);
    expect(bundle.logged.join('')).toContain('policies_unusable');
  });

  expect(await keptOf(await ask(url, { body }))).not.toContain(secret);

  async function keptOf(reply: Response): Promise<string> {
    const id = reply.headers.get('x-flywheel-record-id') ?? '';
    return eventually(async () => {
      const kept = await bundle.logStore.get([id]);
      expect(kept).toHaveLength(1);
      return JSON.stringify(kept);
    });
  }
});

async function spooled(folder: string): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => /^\d+\./.test(name));
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
  return texts
    .join('')
    .split('\n')
    .filter((line) => line !== '');
}
