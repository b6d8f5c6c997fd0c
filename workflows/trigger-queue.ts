import { ApplicationFailure } from '@temporalio/workflow';
import { snapshotKinds } from '../domain/datasets/dataset.ts';
import { strategies } from '../domain/experiments/experiment.ts';
import type { RunTrigger, TriggerReceipt } from '../domain/runs/trigger.ts';

/**
 * At most one run at work and one waiting. Triggers that meet a waiting one become part of it: what would
 * two runs over the same records tell that one does not?
 */
export class TriggerQueue {
  private running: RunTrigger | null;
  private queued: RunTrigger | null = null;

  constructor(first: RunTrigger | undefined) {
    this.running = first ?? null;
  }

  get current(): RunTrigger | null {
    return this.running;
  }

  get next(): RunTrigger | null {
    return this.queued;
  }

  add(trigger: RunTrigger): TriggerReceipt {
    this.running ??= trigger;
    // The same run id is the same request, delivered again.
    if (this.running.runId === trigger.runId) return { runId: trigger.runId, state: 'started' };
    this.queued = this.queued ? merge(this.queued, trigger) : trigger;
    return { runId: this.queued.runId, state: 'queued' };
  }

  withdraw(runId: string): void {
    if (this.queued?.runId === runId) this.queued = null;
  }
}

/** The earlier one's identity; everything that either asked to try; the later one's numbers. */
function merge(queued: RunTrigger, later: RunTrigger): RunTrigger {
  if (queued.runId === later.runId) return queued;
  const { candidates: _c, strategies: _s, snapshotKind: _k, ...rest } = queued;
  const candidates = union(queued.candidates, later.candidates);
  const wanted = union(queued.strategies, later.strategies);
  return {
    ...rest,
    // A deep reading holds what an incremental one would.
    ...(bothIncremental(queued, later) ? { snapshotKind: 'incremental' as const } : {}),
    ...(candidates ? { candidates } : {}),
    ...(wanted ? { strategies: wanted } : {}),
    ...(later.evalSize === undefined ? {} : { evalSize: later.evalSize }),
    ...(later.seed === undefined ? {} : { seed: later.seed }),
  };
}

function bothIncremental(...triggers: readonly RunTrigger[]): boolean {
  return triggers.every(({ snapshotKind }) => snapshotKind === 'incremental');
}

/** Absent means all, and all is more than any list. */
function union<T>(first: readonly T[] | undefined, second: readonly T[] | undefined): T[] | undefined {
  return first && second ? [...new Set([...first, ...second])] : undefined;
}

/** Refuses what no later step could make sense of. Synchronous, as a validator has to be. */
export function validateTrigger(trigger: RunTrigger): void {
  const problem = problemOf(trigger);
  if (problem) throw ApplicationFailure.nonRetryable(problem, 'InvalidInputError');
}

function problemOf(trigger: RunTrigger | undefined): string | null {
  if (!trigger || typeof trigger !== 'object')
    return 'A trigger is an object with runId, reason and requestedBy.';
  if (!/^run-[a-z0-9-]+$/.test(trigger.runId))
    return `runId is "${trigger.runId}"; it must look like run-20250131t093000z-ab12.`;
  if (typeof trigger.reason !== 'string' || typeof trigger.requestedBy !== 'string')
    return 'reason and requestedBy must be given as text.';
  const unknown = trigger.strategies?.filter((strategy) => !strategies.includes(strategy)) ?? [];
  if (unknown.length > 0) return `Unknown strategy ${unknown.join(', ')}; known: ${strategies.join(', ')}.`;
  if (trigger.strategies?.length === 0 || trigger.candidates?.length === 0)
    return 'An empty list of candidates or strategies leaves nothing to try.';
  if (trigger.snapshotKind !== undefined && !snapshotKinds.includes(trigger.snapshotKind))
    return `snapshotKind is ${trigger.snapshotKind}; known: ${snapshotKinds.join(', ')}.`;
  if (trigger.evalSize !== undefined && !(Number.isInteger(trigger.evalSize) && trigger.evalSize > 0))
    return `evalSize is ${trigger.evalSize}; it must be a whole number above 0.`;
  if (trigger.seed !== undefined && !Number.isInteger(trigger.seed))
    return `seed is ${trigger.seed}; it must be a whole number.`;
  return null;
}
