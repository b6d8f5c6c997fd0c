import type { SnapshotKind } from '../datasets/dataset.ts';
import type { Cadence } from './cadence.ts';

/** What is known of a workload when a sweep looks at it. */
export interface SweepFacts {
  readonly cadence: Cadence;
  /** Records in the log store. */
  readonly total: number;
  /** Records that came in at or after `since`; all of them where that is null. */
  readonly newRecords: number;
  readonly since: string | null;
  /** How many records a dataset needs. */
  readonly minRecords: number;
  /** How many new ones the cadence asks for. */
  readonly minNewRecords: number;
}

export type SweepDecision =
  | { readonly start: true; readonly snapshotKind: SnapshotKind; readonly reason: string }
  | { readonly start: false; readonly reason: string };

/** Whether there is enough for a run, and why, in words for whoever wonders in the morning. */
export function decideSweep(facts: SweepFacts): SweepDecision {
  const { cadence, total, newRecords, since, minRecords, minNewRecords } = facts;
  if (total < minRecords)
    return { start: false, reason: `${records(total)} in all; a dataset needs ${minRecords}` };
  if (cadence === 'weekly')
    return { start: true, snapshotKind: 'deep', reason: `weekly, over all ${records(total)}` };
  // An incremental dataset is made of the new ones alone.
  const needed = Math.max(minNewRecords, minRecords);
  const news = `${newRecords} new ${newRecords === 1 ? 'record' : 'records'}${since === null ? '' : ` since ${since}`}`;
  return newRecords < needed
    ? { start: false, reason: `${news}; ${needed} needed` }
    : { start: true, snapshotKind: 'incremental', reason: `${cadence}, ${news}` };
}

function records(count: number): string {
  return `${count} ${count === 1 ? 'record' : 'records'}`;
}
