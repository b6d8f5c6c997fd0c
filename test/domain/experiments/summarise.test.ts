import { expect, it } from 'vitest';
import { type ScoredItem, summarise } from '../../../domain/experiments/summarise.ts';

function item(scores: Record<string, number>, overrides: Partial<ScoredItem> = {}): ScoredItem {
  return { failure: null, scores, latencyMs: 10, promptTokens: 100, completionTokens: 5, ...overrides };
}

it('counts every item, failed ones as wrong and apart', () => {
  const items = [
    item({ call_accuracy: 1, tool_accuracy: 1 }, { latencyMs: 30 }),
    item({ call_accuracy: 0, tool_accuracy: 1 }, { latencyMs: 20 }),
    item(
      { call_accuracy: 0, tool_accuracy: 0 },
      { failure: 'timeout', latencyMs: null, promptTokens: null, completionTokens: null },
    ),
    item(
      { call_accuracy: 0, tool_accuracy: 0, no_tool_recall: 0, exact_match: 0, rouge_l: 0 },
      { failure: 'refusal' },
    ),
  ];

  const summary = summarise('e', items);

  expect(summary).toEqual({
    evaluationId: 'e',
    n: 4,
    failed: 2,
    failures: { refusal: 1, timeout: 1 },
    metrics: { call_accuracy: 0.25, tool_accuracy: 0.5, no_tool_recall: 0, exact_match: 0, rouge_l: 0 },
    latencyMs: { p50: 20, p95: 30 },
    tokens: { prompt: 300, completion: 15 },
  });
  expect(Object.keys(summary.metrics)[0]).toBe('call_accuracy');
});

it('is the same for items in any order, to the last bit', () => {
  const items = Array.from({ length: 101 }, (_, index) => item({ exact_match: 0, rouge_l: 1 / (index + 3) }));

  expect(summarise('e', [...items].reverse())).toEqual(summarise('e', items));
});

it('judges a workload by calls only where at least half of its items offer tools', () => {
  const plain = item({ exact_match: 0, rouge_l: 0.5 });
  const call = item({ call_accuracy: 1, tool_accuracy: 1 });

  expect(Object.keys(summarise('e', [plain, plain, call]).metrics)).toEqual([
    'rouge_l',
    'call_accuracy',
    'tool_accuracy',
    'exact_match',
  ]);
  expect(Object.keys(summarise('e', [plain, call]).metrics)[0]).toBe('call_accuracy');
});

it('says how many answers the latency was measured on, where that is a sample of them', () => {
  const items = [10, 20, null, null].map((latencyMs) => item({ exact_match: 1, rouge_l: 1 }, { latencyMs }));

  expect(summarise('e', items).latencyMs).toEqual({ p50: 10, p95: 20, of: 2 });
});

it('has no latency and no metric where nothing was measured', () => {
  expect(summarise('e', [])).toMatchObject({ n: 0, failed: 0, metrics: {}, latencyMs: null });
});
