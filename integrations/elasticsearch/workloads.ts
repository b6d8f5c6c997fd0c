import type { estypes } from '@elastic/elasticsearch';
import { z } from 'zod';
import type { WorkloadSummary } from '../../activities/ports/log-store.ts';
import type { Store } from './client.ts';

const Time = z.object({ value: z.number().transform((ms) => new Date(ms).toISOString()) });

const Bucket = z
  .object({
    key: z.object({ workload_id: z.string() }),
    doc_count: z.number(),
    clients: z.object({ value: z.number() }),
    first: Time,
    last: Time,
  })
  .transform(
    (bucket): WorkloadSummary => ({
      workloadId: bucket.key.workload_id,
      records: bucket.doc_count,
      clients: bucket.clients.value,
      firstTimestamp: bucket.first.value,
      lastTimestamp: bucket.last.value,
    }),
  );

const Page = z.object({
  buckets: z.array(Bucket),
  after_key: z.object({ workload_id: z.string() }).optional(),
});

/** In ascending order of workload. Clients are counted exactly up to 10,000 per workload, then within 1 %. */
export async function summariseWorkloads({ client, index }: Store): Promise<WorkloadSummary[]> {
  await client.indices.refresh({ index });
  const found: WorkloadSummary[] = [];
  for (let after: { workload_id: string } | undefined; ; ) {
    const { aggregations } = await client.search({
      index,
      size: 0,
      allow_partial_search_results: false,
      aggs: { workloads: pageAfter(after) },
    });
    const page = Page.parse(aggregations?.['workloads']);
    found.push(...page.buckets);
    after = page.after_key;
    if (after === undefined) return found;
  }
}

function pageAfter(after: { workload_id: string } | undefined): estypes.AggregationsAggregationContainer {
  return {
    composite: {
      size: 1_000,
      sources: [{ workload_id: { terms: { field: 'workload_id' } } }],
      ...(after && { after }),
    },
    aggs: {
      clients: { cardinality: { field: 'client_id', precision_threshold: 10_000 } },
      first: { min: { field: '@timestamp' } },
      last: { max: { field: '@timestamp' } },
    },
  };
}
