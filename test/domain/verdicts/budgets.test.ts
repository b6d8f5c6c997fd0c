import { describe, expect, it } from 'vitest';
import { costPerThousandCalls, usd } from '../../../domain/verdicts/budgets.ts';
import { decideVerdict } from '../../../domain/verdicts/decide.ts';
import { report } from '../support.ts';

/** 200 items; 20,000 prompt and 2,000 completion tokens. */
const evaluated = { latencyMs: { p50: 40, p95: 120 }, tokens: { prompt: 20_000, completion: 2_000 } };
const base = report('base', 0.1);
const lora = report('lora', 0.9, { evaluated });
const price = { nano: { prompt: 1, completion: 10 } };
const rule = {
  primaryMetric: 'call_accuracy',
  threshold: 0.75,
  budgets: { costPerThousandCalls: null, latencyP95Ms: null },
  prices: {},
};

describe('budgets', () => {
  it('cost is measured tokens by price, over every item asked', () => {
    const evaluation = { tokens: evaluated.tokens, n: 200 };

    // (20,000 × $1 + 2,000 × $10) per million, for 200 calls.
    expect(costPerThousandCalls(evaluation, price.nano)).toBeCloseTo(0.2, 10);
    expect(costPerThousandCalls(evaluation, undefined)).toBeNull();
    expect(costPerThousandCalls({ n: 200, tokens: { prompt: 0, completion: 0 } }, price.nano)).toBeNull();
  });

  it.each([
    ['within both', { costPerThousandCalls: 0.2, latencyP95Ms: 120 }, price, 'promote', /above its base/],
    [
      'too dear',
      { costPerThousandCalls: 0.19, latencyP95Ms: null },
      price,
      'hold',
      /but 1,000 calls cost \$0\.200, above the budget of \$0\.190/,
    ],
    [
      'too slow',
      { costPerThousandCalls: null, latencyP95Ms: 119 },
      price,
      'hold',
      /but its P95 latency is 120 ms, above the budget of 119 ms/,
    ],
    [
      'a budget but no price',
      { costPerThousandCalls: 1, latencyP95Ms: null },
      {},
      'inconclusive',
      /neither candidates\.yaml nor workloads\.yaml has a price of nano/,
    ],
    [
      'too slow and no price: what is known decides',
      { costPerThousandCalls: 1, latencyP95Ms: 1 },
      {},
      'hold',
      /P95 latency/,
    ],
  ])('%s', (_, budgets, prices, outcome, reason) => {
    const verdict = decideVerdict([base, lora], { ...rule, budgets, prices });

    expect(verdict.outcome).toBe(outcome);
    expect(verdict.winner?.strategy).toBe('lora');
    expect(verdict.reason).toMatch(reason);
  });

  it('cannot be told to be kept where nothing was measured', () => {
    const budgets = { costPerThousandCalls: null, latencyP95Ms: 50 };
    const unmeasured = report('lora', 0.9, { evaluated: { latencyMs: null } });

    expect(decideVerdict([base, unmeasured], { ...rule, budgets })).toMatchObject({
      outcome: 'inconclusive',
      reason: expect.stringContaining('no latency was measured'),
    });
  });

  it('are held against a sample, which is said', () => {
    const budgets = { costPerThousandCalls: null, latencyP95Ms: 50 };
    const sampled = report('lora', 0.9, { evaluated: { latencyMs: { p50: 40, p95: 120, of: 30 } } });

    expect(decideVerdict([base, sampled], { ...rule, budgets }).reason).toContain(
      'its P95 latency is 120 ms (measured on 30 of its answers), above the budget of 50 ms',
    );
  });

  it('leave the second best to win where the best is over one', () => {
    const budgets = { costPerThousandCalls: null, latencyP95Ms: 100 };
    const quick = report('icl', 0.8, { evaluated: { latencyMs: { p50: 5, p95: 9 } } });

    expect(decideVerdict([base, lora, quick], { ...rule, budgets })).toMatchObject({
      outcome: 'promote',
      winner: { strategy: 'icl' },
    });
  });

  it('are shown with digits enough to tell', () => {
    expect([12.345, 0.5, 0.00123, 0].map(usd)).toEqual(['$12.35', '$0.500', '$0.00123', '$0.00']);
  });
});

describe('a primary metric of the policy', () => {
  it('that does not apply to the items says which do', () => {
    expect(decideVerdict([base, lora], { ...rule, primaryMetric: 'rouge_l' })).toMatchObject({
      outcome: 'inconclusive',
      reason: expect.stringMatching(/rouge_l does not apply.*call_accuracy/),
    });
  });
});
