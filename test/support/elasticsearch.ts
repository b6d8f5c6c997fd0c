import { randomBytes } from 'node:crypto';
import { Client } from '@elastic/elasticsearch';
import { inject } from 'vitest';
import { type ElasticsearchSettings, openStore } from '../../integrations/elasticsearch/client.ts';
import { migrateElasticsearchLogs } from '../../integrations/elasticsearch/migrate.ts';
import { openWrite, openWritesIndex } from '../../integrations/elasticsearch/open-writes.ts';
import { sendRecords } from '../../integrations/elasticsearch/write.ts';
import type { LogStoreSetup } from '../contracts/log-store.contract.ts';

export interface TestIndex {
  readonly settings: ElasticsearchSettings;
  /** Straight at the server, to look and to tamper. */
  readonly client: Client;
  /** Every record and note away: some milliseconds, where new indices take a second. */
  empty(): Promise<void>;
  drop(): Promise<void>;
}

/** Indices of their own on the real server, with our mapping. */
export async function createTestIndex(url: string = inject('elasticsearchUrl')): Promise<TestIndex> {
  const settings = { url, index: `test-${randomBytes(6).toString('hex')}` };
  const client = new Client({ node: url });
  await migrateElasticsearchLogs(settings);
  return {
    settings,
    client,
    async empty() {
      // The server has no delete-by-query: `GET /` and the like are missing in this bundle.
      for (const index of [settings.index, openWritesIndex(settings)]) await deleteAll(client, index);
    },
    async drop() {
      await client.indices.delete({
        index: Object.keys(await client.indices.get({ index: `${settings.index}-*` })),
      });
      await client.close();
    },
  };
}

async function deleteAll(client: Client, index: string): Promise<void> {
  await client.indices.refresh({ index });
  for (;;) {
    const { hits } = await client.search({ index, size: 5_000, _source: false });
    if (hits.hits.length === 0) return;
    await client.bulk({
      operations: hits.hits.map(({ _id = '' }) => ({ delete: { _index: index, _id } })),
      refresh: true,
    });
  }
}

/** What the contract needs beside the store itself. */
export function tamperWith(
  settings: ElasticsearchSettings,
): Pick<LogStoreSetup, 'beginSlowAppend' | 'appendLate'> & { close(): Promise<void> } {
  const store = openStore(settings);
  return {
    async beginSlowAppend(records) {
      const write = await openWrite(store);
      return async () => {
        await sendRecords(store, records, write.stamp);
        await write.close();
      };
    },
    async appendLate(record, ingestedAt) {
      await sendRecords(store, [record], ingestedAt);
    },
    close: () => store.client.close(),
  };
}
