import type { ExperimentView, RunView } from '../../activities/ports/run-lineage.ts';

export function anExperimentView(fields: Partial<ExperimentView> = {}): ExperimentView {
  return {
    candidate: 'nano',
    strategy: 'lora',
    role: 'challenger',
    status: 'succeeded',
    stage: 'done',
    n: 40,
    failed: 1,
    failures: { unparsable: 1 },
    metrics: { call_accuracy: 0.9 },
    model: 'ft:nano:1',
    ...fields,
  };
}

type Loose<T> = { [K in keyof T]?: T[K] | undefined };

/** A run that ended with a `promote` verdict and waits for a decision. */
export function aRunView(fields: Loose<RunView> = {}): RunView {
  const view = {
    runId: 'run-1',
    workflowId: 'flywheel:hr',
    workload: 'hr',
    snapshot: { id: 'snap-1', records: 153, kind: 'deep' },
    dataset: {
      id: 'data-1',
      hash: 'abcdef0123456789',
      splits: { train: 100, validation: 10, eval: 40 },
      dropped: { duplicate: 3 },
    },
    experiments: [
      anExperimentView({ strategy: 'base', metrics: { call_accuracy: 0.2 } }),
      anExperimentView({ trainSeconds: 62, latencyMs: { p50: 25, p95: 40 } }),
    ],
    verdict: { outcome: 'promote', winner: 'nano/lora', reason: 'lora is best' },
    digest: 'd1',
    approval: { status: 'pending' },
    status: 'completed',
    stage: 'done',
    reason: 'a test',
    requestedBy: 'ana',
    startedAt: '2026-01-02T03:00:00.000Z',
    endedAt: '2026-01-02T03:05:00.000Z',
    responseSources: { production: 153 },
    synthetic: false,
    toolsInferred: false,
    threshold: 0.75,
    primaryMetric: 'call_accuracy',
    policy: null,
    ...fields,
  };
  return Object.fromEntries(
    Object.entries(view).filter(([, value]) => value !== undefined),
  ) as unknown as RunView;
}
