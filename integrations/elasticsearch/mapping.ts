import type { estypes } from '@elastic/elasticsearch';

/**
 * Raised with each change of the mapping. New fields are put on the index that is there (migrate.ts). A change
 * of a field's type needs a new index, `<alias>-v<version>`, filled from the old one before the alias moves;
 * there was none so far.
 */
export const mappingVersion = 1;

/** Ids are dealt into so many buckets by their hash; a reading takes the buckets in slices. */
export const buckets = 1_024;

/**
 * What is filtered, sorted and shown is indexed; payloads are kept as they came and are not indexed, so that
 * they can hold anything and cost nothing but their space. `@timestamp` and the flat names are what Kibana
 * expects.
 */
export const mapping = {
  _meta: { flywheel_mapping: mappingVersion },
  // A field that nobody planned is a mistake to hear of, not one to guess a type for.
  dynamic: 'strict',
  properties: {
    '@timestamp': { type: 'date' },
    /** The writer's clock, never behind the last bound that was given out (open-writes.ts). */
    ingested_at: { type: 'date' },
    record_id: { type: 'keyword' },
    bucket: { type: 'short' },
    workload_id: { type: 'keyword' },
    client_id: { type: 'keyword' },
    conversation_id: { type: 'keyword' },
    model: { type: 'keyword', ignore_above: 1_024 },
    response_source: { type: 'keyword' },
    latency_ms: { type: 'double' },
    prompt_tokens: { type: 'long' },
    completion_tokens: { type: 'long' },
    request: { type: 'object', enabled: false },
    response: { type: 'object', enabled: false },
    extra: { type: 'object', enabled: false },
  },
} as const satisfies estypes.MappingTypeMapping;

/** Shards and the rest are the cluster's to say, by its defaults or an index template. */
export const indexSettings = {
  // One copy more wherever there is a second node to hold it.
  auto_expand_replicas: '0-1',
  codec: 'best_compression',
} as const satisfies estypes.IndicesIndexSettings;
