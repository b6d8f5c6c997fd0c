import { expect, test } from 'vitest';
import { parse } from 'yaml';
import type { AdapterFacts } from '../../../domain/adapters/adapter-facts.ts';
import { modelCard } from '../../../domain/adapters/model-card.ts';

const measured = {
  ...{ candidate: 'nano', role: 'challenger' as const, status: 'succeeded', n: 200, failed: 2 },
  metrics: { call_accuracy: 0.84, tool_accuracy: 0.87 },
};

function facts(fields: Partial<AdapterFacts> = {}): AdapterFacts {
  return {
    model: 'ft:nano-1m:flywheel:hr:1a2b3c4d',
    workload: 'hr',
    createdAt: '2026-01-02T03:00:00.000Z',
    base: {
      ...{ id: 'nano-1m', reference: 'acme/nano-1m', onHub: true, licenceFiles: ['LICENSE'] },
      licence: { id: 'apache-2.0', name: null, link: null },
    },
    training: {
      ...{ runId: 'run-1', jobId: 'ftjob-1', seed: 7, seconds: 61.5 },
      hyperparameters: { epochs: 2, rank: 32, targetModules: ['q_proj', 'v_proj'] },
      setAside: { train: 4, validation: 1, reasons: { row_too_long: 5 } },
    },
    dataset: {
      ...{ id: 'data-1', hash: 'abc123' },
      ...{ splits: { train: 100, validation: 10, eval: 200 }, dropped: { duplicate: 3 } },
    },
    provenance: { responseSources: { gold: 310 }, synthetic: true, toolsInferred: false },
    primaryMetric: 'call_accuracy',
    threshold: 0.75,
    evaluation: {
      ...{ id: 'eval-1', n: 200, failed: 2, failures: { timeout: 2 }, interval: [0.783, 0.884] },
      ...{ metrics: measured.metrics, latencyMs: { p50: 25, p95: 40 } },
    },
    experiments: [
      { ...measured, strategy: 'lora' },
      { ...measured, strategy: 'base', metrics: { call_accuracy: 0.065 } },
      { ...measured, strategy: 'icl', status: 'failed', n: 0, failed: 0, metrics: {} },
    ],
    verdict: { outcome: 'promote', reason: 'nano/lora has 0.84.', won: true, digest: 'd1' },
    approval: { outcome: 'approve', actor: 'grace', at: '2026-01-03T03:00:00.000Z', override: false },
    ...fields,
  };
}

function frontMatter(card: string): Record<string, unknown> {
  return parse(card.split('---\n')[1] ?? '') as Record<string, unknown>;
}

test('the front matter is what the hub reads', () => {
  const card = modelCard(facts());

  expect(frontMatter(card)).toEqual({
    base_model: 'acme/nano-1m',
    base_model_relation: 'adapter',
    library_name: 'peft',
    pipeline_tag: 'text-generation',
    license: 'apache-2.0',
    tags: ['lora', 'peft', 'flywheel'],
    'model-index': [
      {
        name: 'ft:nano-1m:flywheel:hr:1a2b3c4d',
        results: [
          {
            task: { type: 'text-generation' },
            dataset: { type: 'flywheel', name: 'eval split of workload hr', revision: 'abc123' },
            metrics: [
              { type: 'call_accuracy', name: 'call_accuracy', value: 0.84 },
              { type: 'tool_accuracy', name: 'tool_accuracy', value: 0.87 },
            ],
          },
        ],
      },
    ],
  });
});

test('people read what it rests on', () => {
  const card = modelCard(facts());

  expect(card).toContain('**The traffic is synthetic');
  expect(card).toContain('gold labels made by people');
  expect(card).toContain('| dataset | `abc123`, 100 train, 10 validation, 200 eval |');
  expect(card).toContain('| left out by curation | 3 duplicate |');
  expect(card).toContain('| left out by the trainer | 4 train, 1 validation |');
  expect(card).toContain('| targetModules | q_proj, v_proj |');
  expect(card).toContain('| nano × lora | 0.840 | 0.870 | 200 | 2 |');
  expect(card).toContain('| nano × base | 0.065 | – | 200 | 2 |');
  expect(card).toContain('| nano × icl | – | – | – | failed |');
  expect(card).toContain("95 % interval (Wilson) of this adapter's call_accuracy: 0.783 to 0.884.");
  expect(card).toContain('**promote**. nano/lora has 0.84. Approved by grace on 2026-01-03.');
  expect(card).toContain('PeftModel.from_pretrained(base, ".")');
});

test('a latency tells of how many answers it is, where not every one was timed', () => {
  const { evaluation } = facts();
  const timed = (latencyMs: { p50: number; p95: number; of?: number }) =>
    modelCard(facts({ evaluation: evaluation && { ...evaluation, latencyMs } }));

  expect(timed({ p50: 25, p95: 40 })).toContain('P50 25 ms, P95 40 ms.');
  expect(timed({ p50: 25, p95: 40, of: 30 })).toContain('P50 25 ms, P95 40 ms, of 30 of its answers.');
});

test('a verdict about another experiment is not this adapter’s, nor is its approval', () => {
  const verdict = { outcome: 'promote', reason: 'nano/icl has 0.9.', won: false, digest: 'd1' };

  const card = modelCard(facts({ verdict }));

  expect(card).toContain('Verdict of the run, not about this adapter: **promote**');
  expect(card).not.toContain('Approved');
});

test('an adapter that was never measured claims nothing', () => {
  const card = modelCard(facts({ evaluation: null, verdict: null, approval: null }));

  expect(frontMatter(card)).not.toHaveProperty('model-index');
  expect(card).toContain('It was never measured to the end');
});

test('no name breaks out of its place', () => {
  const model = 'ft:a: "b"\n---\n# c';
  const reason = 'x | y\n\n# z';

  const card = modelCard(facts({ model, verdict: { outcome: 'hold', reason, won: true, digest: null } }));

  const index = frontMatter(card)['model-index'] as { name: string }[];
  expect(index[0]?.name).toBe(model);
  expect(card).not.toMatch(/^# [cz]/m);
});
