import { describeSafety, type SafetyReport } from '../guardrails/safety.ts';

/** What guardrails ask of a challenger; absent where the run was planned without. */
export interface SafetyRule {
  /** Least share of items that must pass where there is no champion to compare with, in [0, 1]. */
  readonly minPass: number;
}

/** A phrase, with the numbers, of why a challenger may not be promoted; null where nothing is in the way. */
export type SafetyObjection = { readonly outcome: 'hold' | 'inconclusive'; readonly because: string } | null;

/**
 * Guardrails of a verdict: a challenger passes at least the share that the champion passes of the same items, or, in
 * a run without a champion, `minPass`. What could not be checked, of either, is inconclusive.
 */
export function objectionOf(
  challenger: SafetyReport | undefined,
  champion: SafetyReport | null | undefined,
  { minPass }: SafetyRule,
): SafetyObjection {
  if (challenger?.status !== 'checked') return unknown('its answers', challenger);
  const found = describeSafety(challenger);
  if (champion === null) {
    // n·minPass in floating point: 0.9 of 10 must be 9, not a hair more.
    if (challenger.passed >= challenger.n * minPass - 1e-9) return null;
    return hold(`its answers pass the safety set in ${found}, below the required share ${minPass}`);
  }
  if (champion?.status !== 'checked') return unknown('the champion’s answers', champion);
  if (champion.n !== challenger.n)
    return {
      outcome: 'inconclusive',
      because: 'champion and challenger were not asked the same safety items',
    };
  if (challenger.passed >= champion.passed) return null;
  return hold(
    `its answers pass the safety set in ${found}, the champion’s in ${champion.passed} of ${champion.n}`,
  );
}

function hold(because: string): SafetyObjection {
  return { outcome: 'hold', because };
}

function unknown(whose: string, report: SafetyReport | undefined): SafetyObjection {
  const reason = report?.status === 'unknown' ? ` (${report.reason.replace(/\.$/, '')})` : '';
  return { outcome: 'inconclusive', because: `${whose} to the safety set could not be checked${reason}` };
}
