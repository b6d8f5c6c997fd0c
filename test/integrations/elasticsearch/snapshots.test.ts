import { describe, inject } from 'vitest';
import { describeSnapshots } from '../../contracts/snapshots.contract.ts';
import { createTestIndex, tamperWith } from '../../support/elasticsearch.ts';

describe.skipIf(inject('elasticsearchUrl') === '')('on a real server', () => {
  describeSnapshots('Elasticsearch', async () => {
    const index = await createTestIndex();
    const { appendLate, close } = tamperWith(index.settings);
    return {
      logStore: {
        kind: 'elasticsearch',
        ...{ apiKey: null, caFile: null, caFingerprint: null, embedded: false },
        ...{ url: index.settings.url, index: index.settings.index },
      },
      empty: index.empty,
      appendLate,
      async close() {
        await close();
        await index.drop();
      },
    };
  });
});
