import { defineSearchAttributeKey, type SearchAttributePair } from '@temporalio/common';

export const workloadAttribute = defineSearchAttributeKey('FlywheelWorkload', 'KEYWORD');
/** Where a workflow stands: a run's stage, an experiment's stage, a gate's status, a rollout's step. */
export const stageAttribute = defineSearchAttributeKey('FlywheelStage', 'KEYWORD');
export const verdictAttribute = defineSearchAttributeKey('FlywheelVerdict', 'KEYWORD');
/** True while a person is waited for: `FlywheelWaiting = true` is the operator's to-do list. */
export const waitingAttribute = defineSearchAttributeKey('FlywheelWaiting', 'BOOL');

/** Temporal's own: when a schedule wanted what it started, also where that was later (catch-up, backfill). */
export const scheduledTimeAttribute = defineSearchAttributeKey('TemporalScheduledStartTime', 'DATETIME');

/**
 * How the server must know them; it refuses starts, and wedges upserts, of unknown ones, so that workers
 * check at boot. SQL visibility has ten Keyword and three Bool columns per namespace.
 */
export const searchAttributeTypes = {
  FlywheelWorkload: 'Keyword',
  FlywheelStage: 'Keyword',
  FlywheelVerdict: 'Keyword',
  FlywheelWaiting: 'Bool',
} as const;

/** What a workflow starts with; children inherit none of their parent's. */
export function initialAttributes(workloadId: string, stage: string): SearchAttributePair[] {
  return [
    { key: workloadAttribute, value: workloadId },
    { key: stageAttribute, value: stage },
  ];
}
