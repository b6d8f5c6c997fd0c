import { inspect } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it, onTestFinished } from 'vitest';
import type { LogStore } from '../../../activities/ports/log-store.ts';
import { openStore } from '../../../integrations/elasticsearch/client.ts';
import { createElasticsearchLogStore } from '../../../integrations/elasticsearch/log-store.ts';
import { migrateElasticsearchLogs } from '../../../integrations/elasticsearch/migrate.ts';
import { openWrite } from '../../../integrations/elasticsearch/open-writes.ts';
import { createTestIndex, type TestIndex } from '../../support/elasticsearch.ts';
import { type HttpProxy, startHttpProxy } from '../../support/http-proxy.ts';
import { respond, startHttpServer } from '../../support/http-server.ts';
import { aRecord, manyRecords } from '../../support/records.ts';
import { startTcpProxy } from '../../support/tcp-proxy.ts';

let index: TestIndex;
function opened(url = index.settings.url, alias = index.settings.index) {
  const store = createElasticsearchLogStore({ ...index.settings, url, index: alias });
  onTestFinished(() => store.close());
  return store;
}

async function proxied(): Promise<HttpProxy> {
  const proxy = await startHttpProxy(index.settings.url);
  onTestFinished(() => proxy.close());
  return proxy;
}

async function idsOf(store: LogStore, bound: string): Promise<string[]> {
  const ids: string[] = [];
  for await (const batch of store.readIds('hr', bound)) ids.push(...batch);
  return ids;
}

function pointInTimeIn(search: string): string[] {
  const { pit } = JSON.parse(search) as { pit?: { id: string } };
  return pit ? [pit.id] : [];
}

function pointInTimeOf(proxy: HttpProxy): string {
  return proxy.searches().flatMap(pointInTimeIn).at(-1) ?? '';
}

/** A bulk reply in which some records are said to have found no room; the server never saw those. */
function overloaded(every: number) {
  return (body: string): { forward: string; mend: (reply: string) => string } => {
    const lines = body.trimEnd().split('\n');
    const pairs = Array.from({ length: lines.length / 2 }, (_, at) => lines.slice(2 * at, 2 * at + 2));
    const kept = pairs.filter((_, at) => at % every !== 0);
    return {
      forward: `${kept.flat().join('\n')}\n`,
      mend: (reply) => {
        const answer = JSON.parse(reply) as { items: unknown[]; errors: boolean };
        const items = [...answer.items];
        const busy = {
          status: 429,
          error: { type: 'es_rejected_execution_exception', reason: 'queue full' },
        };
        const all = pairs.map((_, at) => (at % every === 0 ? { create: busy } : items.shift()));
        return JSON.stringify({ ...answer, errors: true, items: all });
      },
    };
  };
}

describe.skipIf(inject('elasticsearchUrl') === '')(
  'the log store on Elasticsearch, when things go wrong',
  () => {
    beforeAll(async () => {
      index = await createTestIndex();
    });
    beforeEach(() => index.empty());
    afterAll(() => index?.drop());

    it('sends again exactly those records that found no room, and counts each once', async () => {
      const proxy = await proxied();
      const store = opened(proxy.url);
      proxy.onBulk(overloaded(3), { times: 2 });

      const result = await store.append(manyRecords(90));

      expect(result).toEqual({ stored: 90, duplicates: 0 });
      expect(proxy.bulkSizes()).toEqual([90, 30, 10]);
      expect(await opened().countSince('hr', null)).toBe(90);
    });

    it('waits while the server turns everything away', async () => {
      const proxy = await proxied();
      proxy.refuse(429, { times: 2, path: '_bulk' });

      expect(await opened(proxy.url).append([aRecord('a')])).toEqual({ stored: 1, duplicates: 0 });
    });

    it('stores the good records of a batch and names the one that the mapping refuses', async () => {
      const store = opened();
      const wrong = aRecord('wrong', { timestamp: 'Mrs Secret was here' });

      const failure = await store
        .append([aRecord('a'), wrong, aRecord('b')])
        .catch((error: unknown) => error);

      expect(failure).toMatchObject({
        name: 'RejectedError',
        retryable: false,
        message: expect.stringMatching(
          /record "wrong" of 3: document_parsing_exception at field \[@timestamp\]/,
        ),
      });
      expect(inspect(failure, { depth: 9, showHidden: true })).not.toContain('Mrs Secret');
      expect((await store.get(['a', 'b', 'wrong'])).map(({ id }) => id)).toEqual(['a', 'b']);
    });

    it('refuses an index whose mapping is not ours, with the field that is in the way', async () => {
      const alias = `${index.settings.index}-foreign`;
      await index.client.indices.create({
        index: `${alias}-1`,
        aliases: { [alias]: {} },
        mappings: { properties: { workload_id: { type: 'long' } } },
      });

      await expect(migrateElasticsearchLogs({ ...index.settings, index: alias })).rejects.toMatchObject({
        name: 'InvalidInputError',
        message: expect.stringMatching(/workload_id.*ELASTICSEARCH_INDEX/),
      });
    });

    it('adds what an older mapping lacks, keeps its records, and refuses a newer one', async () => {
      const alias = `${index.settings.index}-older`;
      await index.client.indices.create({
        index: `${alias}-1`,
        aliases: { [alias]: {} },
        mappings: {
          dynamic: 'strict',
          properties: { record_id: { type: 'keyword' }, workload_id: { type: 'keyword' } },
        },
      });
      const document = { record_id: 'old', workload_id: 'hr' };
      await index.client.create({ index: alias, id: 'old', document });

      await migrateElasticsearchLogs({ ...index.settings, index: alias });
      await migrateElasticsearchLogs({ ...index.settings, index: alias });

      const store = opened(index.settings.url, alias);
      expect(await store.append([aRecord('new')])).toEqual({ stored: 1, duplicates: 0 });
      expect(await store.countSince('hr', null)).toBe(2);
      await index.client.indices.putMapping({ index: alias, _meta: { flywheel_mapping: 99 } });
      await expect(migrateElasticsearchLogs({ ...index.settings, index: alias })).rejects.toThrow(
        /newer Flywheel/,
      );
    });

    it('migrates at once in many processes', async () => {
      const settings = { ...index.settings, index: `${index.settings.index}-many` };

      await Promise.all([1, 2, 3].map(() => migrateElasticsearchLogs(settings)));

      expect(await opened(settings.url, settings.index).append([aRecord('a')])).toMatchObject({ stored: 1 });
    });

    it('says that the index is missing, and makes none up', async () => {
      const alias = `${index.settings.index}-nowhere`;
      const store = opened(index.settings.url, alias);

      const problem = { name: 'InvalidInputError', message: expect.stringContaining('npm run db:migrate') };
      await expect(store.append([aRecord('a')])).rejects.toMatchObject(problem);
      await expect(store.ping()).rejects.toMatchObject(problem);
      await expect(idsOf(store, '2030-01-01T00:00:00.000Z')).rejects.toMatchObject(problem);
      expect(await index.client.indices.exists({ index: alias })).toBe(false);
    });

    it('is unavailable when the connection breaks, and works again afterwards', async () => {
      const proxy = await startTcpProxy(index.settings.url);
      onTestFinished(() => proxy.close());
      const store = opened(proxy.url.replace(/\/$/, ''));
      await store.append([aRecord('before')]);

      await proxy.cut();
      const failure = await store.append([aRecord('during')]).catch((error: unknown) => error);
      await proxy.restore();

      expect(failure).toMatchObject({ name: 'UnavailableError', retryable: true, kind: 'unreachable' });
      expect(await store.append([aRecord('during')])).toEqual({ stored: 1, duplicates: 0 });
    });

    it('reads on behind a connection that breaks in mid-read, without a gap or a repetition', async () => {
      await opened().append(manyRecords(1_500));
      const proxy = await startTcpProxy(index.settings.url);
      onTestFinished(() => proxy.close());
      const store = opened(proxy.url.replace(/\/$/, ''));
      const bound = await store.snapshotBound();

      const ids: string[] = [];
      for await (const batch of store.read('hr', bound)) {
        if (ids.length === 0) await proxy.cut().then(() => setTimeout(() => void proxy.restore(), 400));
        ids.push(...batch.map(({ id }) => id));
      }

      expect(ids).toEqual(manyRecords(1_500).map(({ id }) => id));
    });

    it('reads on when its point in time is lost, and leaves out what came later', async () => {
      const proxy = await proxied();
      const store = opened(proxy.url);
      await store.append(manyRecords(1_500));
      const bound = await store.snapshotBound();

      const ids: string[] = [];
      for await (const batch of store.read('hr', bound)) {
        if (ids.length === 0) {
          await index.client.closePointInTime({ id: pointInTimeOf(proxy) });
          await store.append([aRecord('rec_000700x'), aRecord('zz')]);
        }
        ids.push(...batch.map(({ id }) => id));
      }

      expect(ids).toEqual(manyRecords(1_500).map(({ id }) => id));
      expect(new Set(proxy.searches().flatMap(pointInTimeIn)).size).toBeGreaterThan(1);
    });

    it('never takes a shorter answer for the whole: a shard that is away is an error', async () => {
      const proxy = await proxied();
      const store = opened(proxy.url);
      await store.append([aRecord('a')]);
      proxy.refuse(503, { times: 1, path: '_search' });

      const ids = await idsOf(store, await opened().snapshotBound());

      expect(ids).toEqual(['a']);
      expect(proxy.searches().every((body) => body.includes('"pit"'))).toBe(true);
    });

    it('lets a writer that died hold bounds back for a while, not for ever', async () => {
      const admin = openStore(index.settings);
      onTestFinished(() => admin.client.close());
      const store = opened();
      await openWrite(admin);
      await store.append([aRecord('a')]);
      const held = await store.snapshotBound();

      const notes = `${index.settings.index}-open-writes`;
      const { hits } = await index.client.search({ index: notes });
      for (const { _id = '' } of hits.hits.filter((hit) => hit._id !== 'fence')) {
        const document = { at: new Date(Date.now() - 600_000).toISOString() };
        await index.client.index({ index: notes, id: _id, document, refresh: true });
      }
      const free = await store.snapshotBound();

      expect(await idsOf(store, held)).toEqual([]);
      expect(await idsOf(store, free)).toEqual(['a']);
      await index.client.indices.refresh({ index: notes });
      expect((await index.client.search({ index: notes })).hits.hits).toHaveLength(1);
    });

    it('says so when something else answers', async () => {
      const other = await startHttpServer((_, response) => respond(response, 200, { hello: 'world' }));
      onTestFinished(() => other.close());

      await expect(opened(other.url).ping()).rejects.toMatchObject({
        name: 'InvalidInputError',
        message: expect.stringContaining('not Elasticsearch'),
      });
    });
  },
);
