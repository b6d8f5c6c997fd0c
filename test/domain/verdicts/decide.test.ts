import { describe, expect, it } from 'vitest';
import type { ExperimentReport } from '../../../domain/experiments/experiment.ts';
import { decideVerdict } from '../../../domain/verdicts/decide.ts';
import { evidenceDigest } from '../../../domain/verdicts/digest.ts';
import { report } from '../support.ts';

const shown = { primaryMetric: 'call_accuracy', threshold: 0.75 };
const rule = { ...shown, budgets: { costPerThousandCalls: null, latencyP95Ms: null }, prices: {} };
const champion = report('base', 0.95, {
  role: 'champion',
  candidate: 'grand',
  experimentId: 'run-1/grand/champion',
});

describe('decideVerdict', () => {
  it.each<[string, ExperimentReport[], string, string | undefined]>([
    [
      'the best above threshold and base',
      [report('base', 0.1), report('icl', 0.8), report('lora', 0.9)],
      'promote',
      'nano lora',
    ],
    ['exactly the threshold', [report('base', 0.1), report('lora', 0.75)], 'promote', 'nano lora'],
    [
      'base itself, when nothing beats it',
      [report('base', 0.9), report('lora', 0.85)],
      'promote',
      'nano base',
    ],
    [
      'the simpler of equals',
      [report('lora', 0.9), report('icl', 0.9), report('base', 0.1)],
      'promote',
      'nano icl',
    ],
    ['no tie with base', [report('lora', 0.9), report('base', 0.9)], 'promote', 'nano base'],
    [
      'hold below the threshold, naming the best',
      [report('base', 0.1), report('lora', 0.7499)],
      'hold',
      'nano lora',
    ],
    [
      'inconclusive where the base failed',
      [report('base', null), report('lora', 0.9)],
      'inconclusive',
      'nano lora',
    ],
    ['inconclusive where the base was left out', [report('lora', 0.9)], 'inconclusive', 'nano lora'],
    [
      'another candidate whose base was measured, though it scores less',
      [
        report('base', null),
        report('lora', 0.95),
        report('base', 0.2, { candidate: 'b' }),
        report('lora', 0.8, { candidate: 'b' }),
      ],
      'promote',
      'b lora',
    ],
    [
      'never the base of another candidate for comparison',
      [report('base', 0.99, { candidate: 'b', role: 'champion' }), report('lora', 0.9)],
      'inconclusive',
      'nano lora',
    ],
    [
      'hold where the base failed and nothing is good enough',
      [report('base', null), report('lora', 0.5)],
      'hold',
      'nano lora',
    ],
    [
      'inconclusive when everything failed',
      [report('base', null), report('lora', null)],
      'inconclusive',
      undefined,
    ],
    ['never the champion', [champion, report('base', 0.2)], 'hold', 'nano base'],
    ['inconclusive when only the champion was measured', [champion], 'inconclusive', undefined],
    [
      'nothing that was measured on no items',
      [report('base', 0.9, { evaluated: { n: 0 } })],
      'inconclusive',
      undefined,
    ],
    ['inconclusive without experiments', [], 'inconclusive', undefined],
  ])('%s', (_, reports, outcome, winner) => {
    for (const order of [reports, [...reports].reverse()]) {
      const verdict = decideVerdict(order, rule);

      expect(verdict.outcome).toBe(outcome);
      expect(verdict.winner && `${verdict.winner.candidate} ${verdict.winner.strategy}`).toBe(winner);
      expect(verdict).toMatchObject(shown);
    }
  });

  it('gives the numbers, n, failures, and the champion’s score', () => {
    const lora = report('lora', 0.9, { evaluated: { failed: 4 } });

    expect(decideVerdict([report('base', 0.1), lora, champion], rule).reason).toBe(
      "nano × lora has call_accuracy 0.900 (n = 200, 4 of them failed), at least the threshold 0.750 and above its base's 0.100; " +
        'the champion has 0.950 on the same items.',
    );
  });

  it('never rounds a score up to the threshold it missed', () => {
    expect(decideVerdict([report('base', 0.74999)], rule).reason).toContain('0.749');
  });

  it('says why nothing was measured', () => {
    const failed = report('lora', null, { failure: { stage: 'training', reason: 'out of memory' } });

    expect(decideVerdict([failed], rule).reason).toBe(
      'No experiment was measured (nano × lora: out of memory).',
    );
  });
});

describe('evidenceDigest', () => {
  const lora = report('lora', 0.9);
  const evidence = {
    runId: 'run-1',
    workloadId: 'hr',
    datasetHash: 'd',
    serving: lora.serving,
    evaluation: lora.evaluation,
    verdict: decideVerdict([report('base', 0.1), lora], rule),
  };

  it('changes with any part of what would be promoted', () => {
    const variants = [
      evidence,
      { ...evidence, runId: 'run-2' },
      { ...evidence, workloadId: 'it' },
      { ...evidence, datasetHash: 'e' },
      { ...evidence, serving: { provider: 'local', model: 'nano', fewShotUri: null, maxTokens: 65 } },
      { ...evidence, serving: null },
      { ...evidence, evaluation: null },
      { ...evidence, safety: { status: 'unknown' as const, reason: 'no guardrails' } },
      { ...evidence, verdict: { ...evidence.verdict, outcome: 'hold' as const } },
    ];

    expect(new Set(variants.map(evidenceDigest)).size).toBe(variants.length);
    expect(evidenceDigest(JSON.parse(JSON.stringify(evidence)))).toBe(evidenceDigest(evidence));
  });
});
