import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type ElasticsearchService, startElasticsearch } from '../../../cli/dev/services/elasticsearch.ts';
import { prepareElasticsearch } from '../../../cli/setup/find-elasticsearch.ts';
import { createElasticsearchLogStore } from '../../../integrations/elasticsearch/log-store.ts';
import { migrateElasticsearchLogs } from '../../../integrations/elasticsearch/migrate.ts';
import { freePort } from '../../support/free-port.ts';
import { manyRecords } from '../../support/records.ts';

let dir: string;
let start: () => Promise<ElasticsearchService>;
let server: ElasticsearchService;

describe.skipIf(inject('elasticsearchUrl') === '')('Elasticsearch that crashes', () => {
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'flywheel-elasticsearch-'));
    const tools = await prepareElasticsearch(() => undefined);
    const port = await freePort();
    start = () => startElasticsearch({ ...tools, dir, port });
    server = await start();
  }, 300_000);
  afterAll(async () => {
    await server?.stop();
    await rm(dir, { recursive: true, force: true });
  });

  /** One server is killed and started again under a reader who has read a part. */
  it('reads on over a crash and restart of the server, without a gap or a repetition', async () => {
    const settings = { url: server.url, index: 'flywheel-records' };
    await migrateElasticsearchLogs(settings);
    const store = createElasticsearchLogStore(settings);
    await store.append(manyRecords(3_000));
    const bound = await store.snapshotBound();

    const ids: string[] = [];
    let restarted: Promise<void> | null = null;
    for await (const batch of store.read('hr', bound)) {
      ids.push(...batch.map(({ id }) => id));
      restarted ??= crashAndRestart();
    }
    await restarted;

    expect(ids).toEqual(manyRecords(3_000).map(({ id }) => id));
    await store.close();
  }, 300_000);
});

async function crashAndRestart(): Promise<void> {
  // The whole group: its launcher, and the server itself.
  process.kill(-server.pid, 'SIGKILL');
  await server.exited;
  server = await start();
}
