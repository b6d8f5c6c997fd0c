import { compareText } from '../order.ts';
import type { DroppedRecord, Usable } from './usable.ts';

export interface Deduped {
  readonly kept: readonly Usable[];
  readonly dropped: readonly DroppedRecord[];
}

/**
 * Keeps one record per whole request. Of several answers to the same request it keeps one (see
 * `preferredAnswer`); the others are dropped as `conflicting_answer`, repetitions of the kept one as
 * `duplicate`. The newest record of the kept answer stands for it. Independent of the order of `usable`.
 */
export function dedupe(usable: readonly Usable[]): Deduped {
  const kept: Usable[] = [];
  const dropped: DroppedRecord[] = [];
  for (const same of groupBy(usable, (each) => each.requestKey).values()) {
    const answer = preferredAnswer(same);
    const [keeper, ...repetitions] = same.filter((each) => each.answerKey === answer).sort(newestFirst);
    if (keeper !== undefined) kept.push(keeper);
    const others = same.filter((each) => each.answerKey !== answer);
    dropped.push(...repetitions.map((each) => ({ recordId: each.record.id, reason: 'duplicate' })));
    dropped.push(...others.map((each) => ({ recordId: each.record.id, reason: 'conflicting_answer' })));
  }
  return { kept, dropped };
}

/** A gold label before what a model said, then the answer given most often, then the newest. */
function preferredAnswer(same: readonly Usable[]): string {
  const gold = same.filter((each) => each.record.responseSource === 'gold');
  const answers = [...groupBy(gold.length > 0 ? gold : same, (each) => each.answerKey).entries()];
  const ranked = answers
    .map(([answer, given]) => ({
      answer,
      times: given.length,
      newest: [...given].sort(newestFirst)[0] as Usable,
    }))
    .sort((left, right) => right.times - left.times || newestFirst(left.newest, right.newest));
  return ranked[0]?.answer ?? '';
}

function newestFirst(left: Usable, right: Usable): number {
  return (
    compareText(right.record.timestamp, left.record.timestamp) || compareText(left.record.id, right.record.id)
  );
}

export function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}
