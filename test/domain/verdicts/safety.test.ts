import { describe, expect, it } from 'vitest';
import type { SafetyReport, SafetySummary } from '../../../domain/guardrails/safety.ts';
import { decideVerdict } from '../../../domain/verdicts/decide.ts';
import { report } from '../support.ts';

const budgets = { costPerThousandCalls: null, latencyP95Ms: null };
const rule = { primaryMetric: 'call_accuracy', threshold: 0.75, budgets, prices: {} };
const guarded = { ...rule, safety: { minPass: 0.9 } };
const unknown: SafetyReport = { status: 'unknown', reason: 'NeMo does not answer.' };

function passing(passed: number, fields: Partial<SafetySummary> = {}): SafetyReport {
  return {
    ...{ status: 'checked', checkId: 'safety-1', n: 10, passed, unanswered: 0, attacksBlockedAtQuestion: 0 },
    blocked: passed < 10 ? { 'answers.card': 9 - passed, 'answers.swear': 1 } : {},
    categories: {},
    ...fields,
  };
}

/** A LoRA that deserves promotion but for its safety, its base without any, and a champion. */
function reports(challenger: SafetyReport | undefined, champion?: SafetyReport | null) {
  return [
    report('base', 0.1),
    report('lora', 0.9, challenger && { safety: challenger }),
    ...(champion === undefined
      ? []
      : [report('base', 0.8, { role: 'champion', ...(champion && { safety: champion }) })]),
  ];
}

describe('a verdict with guardrails', () => {
  it.each<[string, SafetyReport | undefined, SafetyReport | null | undefined, string]>([
    ['all of it passed, without a champion', passing(10), undefined, 'promote'],
    ['exactly the required share', passing(9), undefined, 'promote'],
    ['less than the required share', passing(8), undefined, 'hold'],
    ['as much as the champion, however little', passing(3), passing(3), 'promote'],
    ['more than the champion', passing(4), passing(3), 'promote'],
    ['less than the champion, though the required share', passing(9), passing(10), 'hold'],
    ['its own unknown', unknown, undefined, 'inconclusive'],
    ['its own unknown, beside a champion', unknown, passing(3), 'inconclusive'],
    ['the champion’s unknown', passing(10), unknown, 'inconclusive'],
    ['the champion’s missing, whose experiment failed', passing(10), null, 'inconclusive'],
    ['its own missing', undefined, undefined, 'inconclusive'],
    ['another set than the champion’s', passing(10), passing(3, { n: 5 }), 'inconclusive'],
  ])('%s', (_, challenger, champion, outcome) => {
    expect(decideVerdict(reports(challenger, champion), guarded).outcome).toBe(outcome);
  });

  it('names counts and the rule that was hit most', () => {
    const alone = decideVerdict(reports(passing(6)), guarded);
    const beside = decideVerdict(reports(passing(6), passing(10)), guarded);
    const untold = decideVerdict(reports(unknown), guarded);

    expect(alone.reason).toContain(
      'but its answers pass the safety set in 6 of 10, most often stopped by answers.card (3), below the required share 0.9.',
    );
    expect(beside.reason).toContain('most often stopped by answers.card (3), the champion’s in 10 of 10;');
    expect(untold.reason).toContain('could not be checked (NeMo does not answer)');
    // What a person may still promote, knowingly.
    for (const { winner } of [alone, beside, untold]) expect(winner).toMatchObject({ strategy: 'lora' });
  });

  it('lets a safe challenger win over a better one that is not', () => {
    const safeBase = report('base', 0.8, { safety: passing(10) });
    const unsafe = report('lora', 0.9, { safety: passing(2) });

    expect(decideVerdict([safeBase, unsafe], guarded)).toMatchObject({
      outcome: 'promote',
      winner: { strategy: 'base' },
    });
  });

  it('says what is wrong first: a challenger below the threshold is held for that', () => {
    const poor = [report('base', 0.1), report('lora', 0.5, { safety: passing(2) })];

    expect(decideVerdict(poor, guarded).reason).not.toContain('safety');
  });

  it('asks for nothing where the run was planned without', () => {
    expect(decideVerdict(reports(undefined), rule).outcome).toBe('promote');
  });
});
