import { describe, expect, it, onTestFinished } from 'vitest';
import { isRecordFault } from '../../../integrations/elasticsearch/errors.ts';
import { createElasticsearchLogStore } from '../../../integrations/elasticsearch/log-store.ts';
import { respond, startHttpServer } from '../../support/http-server.ts';
import { aRecord } from '../../support/records.ts';

type Answer = (records: number) => { readonly status: number; readonly body: object };

/** A store whose server takes every note and answers each bulk request of records as told. */
async function answering(answer: Answer) {
  const sizes: number[] = [];
  const server = await startHttpServer(async (request, response) => {
    const sent = await textOf(request);
    response.setHeader('x-elastic-product', 'Elasticsearch');
    if (!request.url?.includes('_bulk')) return respond(response, 200, { result: 'created', _version: 1 });
    const records = sent.trimEnd().split('\n').length / 2;
    sizes.push(records);
    const { status, body } = answer(records);
    return respond(response, status, body);
  });
  const store = createElasticsearchLogStore({ url: server.url, index: 'logs' });
  onTestFinished(async () => {
    await store.close();
    await server.close();
  });
  return { store, sizes };
}

async function textOf(request: AsyncIterable<Buffer>): Promise<string> {
  let text = '';
  for await (const chunk of request) text += chunk.toString();
  return text;
}

function items(...each: readonly { readonly status: number; readonly type?: string }[]): Answer {
  return () => ({
    status: 200,
    body: {
      errors: true,
      items: each.map(({ status, type }) => ({
        create: { status, ...(type && { error: { type, reason: 'no' } }) },
      })),
    },
  });
}

describe('a bulk item', () => {
  it.each([
    ['document_parsing_exception', null],
    ['mapper_parsing_exception', 'failed to parse'],
    ['strict_dynamic_mapping_exception', null],
    ['illegal_argument_exception', 'Document contains at least one immense term in field="model"'],
  ])('that fails with %s is refused for its record', (type, reason) => {
    expect(isRecordFault(400, { type, reason })).toBe(true);
  });

  it.each([
    [400, 'illegal_argument_exception', 'no write index is defined for alias [logs]'],
    [400, 'index_closed_exception', 'closed'],
    [403, 'cluster_block_exception', 'index [logs] blocked by: [FORBIDDEN/8/index write (api)]'],
    [403, 'security_exception', 'action is unauthorized'],
    [404, 'index_not_found_exception', 'no such index'],
    [403, 'document_parsing_exception', 'of a proxy'],
  ])('with %i %s is not', (status, type, reason) => {
    expect(isRecordFault(status, { type, reason })).toBe(false);
  });
});

describe('an append to Elasticsearch', () => {
  it.each([
    [404, 'no such page'],
    [405, 'method not allowed'],
    [400, 'bad request'],
    [410, 'gone'],
  ])('that a load balancer answers with %i waits', async (status, error) => {
    const { store } = await answering(() => ({ status, body: { error } }));

    await expect(store.append([aRecord('a')])).rejects.toMatchObject({
      name: 'UnavailableError',
      kind: 'failing',
    });
  });

  it('waits for all where one item says that the index is in the way', async () => {
    const { store } = await answering(
      items(
        { status: 400, type: 'document_parsing_exception' },
        { status: 403, type: 'cluster_block_exception' },
      ),
    );

    await expect(store.append([aRecord('a'), aRecord('b')])).rejects.toMatchObject({
      name: 'UnavailableError',
      kind: 'failing',
      message: expect.stringContaining('cluster_block_exception'),
    });
  });

  it('refuses a record that is at fault', async () => {
    const { store } = await answering(
      items({ status: 201 }, { status: 400, type: 'strict_dynamic_mapping_exception' }),
    );

    await expect(store.append([aRecord('a'), aRecord('b')])).rejects.toMatchObject({
      name: 'RejectedError',
      code: 'strict_dynamic_mapping_exception',
    });
  });

  it('that is too large goes in halves, and only one record by itself is refused', async () => {
    const tooLarge = { status: 413, body: {} };
    const taken = await answering((n) => (n > 1 ? tooLarge : items({ status: 201 })(n)));
    const refused = await answering(() => tooLarge);

    expect(await taken.store.append(['a', 'b', 'c'].map((id) => aRecord(id)))).toEqual({
      stored: 3,
      duplicates: 0,
    });
    expect(taken.sizes).toEqual([3, 1, 2, 1, 1]);
    await expect(refused.store.append([aRecord('a'), aRecord('b')])).rejects.toMatchObject({
      name: 'RejectedError',
    });
  });
});
