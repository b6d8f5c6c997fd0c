/** Applied in order, once each; never changed after a release, only added to. */
export const migrations: readonly string[] = [
  `create table flywheel_logs.records (
    id text collate "C" primary key,
    workload_id text not null,
    client_id text not null,
    conversation_id text,
    "timestamp" timestamptz not null,
    ingested_at timestamptz not null,
    -- json, not jsonb: payloads stay verbatim, the order of their keys included
    request json not null,
    response json not null,
    model text,
    response_source text not null check (response_source in ('production', 'gold', 'flywheel')),
    latency_ms double precision,
    extra json not null
  );
  -- reading a snapshot: one workload by ascending id
  create index records_by_workload on flywheel_logs.records (workload_id, id);
  -- the summary of workloads, without touching payloads
  create index records_by_time on flywheel_logs.records (workload_id, "timestamp") include (client_id);`,
  // how much came in since the last incremental dataset
  `create index records_by_ingestion on flywheel_logs.records (workload_id, ingested_at);`,
];
