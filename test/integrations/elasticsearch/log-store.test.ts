import { afterAll, beforeAll, describe, inject } from 'vitest';
import { createElasticsearchLogStore } from '../../../integrations/elasticsearch/log-store.ts';
import { describeLogStore } from '../../contracts/log-store.contract.ts';
import { createTestIndex, type TestIndex, tamperWith } from '../../support/elasticsearch.ts';

describe.skipIf(inject('elasticsearchUrl') === '')('on a real server', () => {
  let index: TestIndex;
  beforeAll(async () => {
    index = await createTestIndex();
  });
  afterAll(() => index?.drop());

  describeLogStore('Elasticsearch', async () => {
    await index.empty();
    const store = createElasticsearchLogStore(index.settings);
    const { close, ...tamper } = tamperWith(index.settings);
    return {
      store,
      ...tamper,
      async close() {
        await store.close();
        await close();
      },
    };
  });
});
