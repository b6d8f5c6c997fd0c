import { compareText } from '../order.ts';
import { groupBy } from './dedupe.ts';
import type { Usable } from './usable.ts';

/**
 * Above this share of all records a group is no longer kin: everyone opens with "hi". Its records then go by
 * conversation alone, as otherwise no split could be made.
 */
const largestShare = 0.2;

/**
 * Names each record's group: records of one conversation, and records that open alike, end up in the same
 * one. Duplicates that will be dropped take part, since they tie their conversations together.
 * A group is named after its smallest record id, so the order of `usable` does not matter.
 */
export function groupNames(usable: readonly Usable[]): Map<string, string> {
  const kin = join(usable, (each) => [`conversation ${each.example.group}`, `opening ${each.openingKey}`]);
  const tooLarge = [...groupBy(usable, (each) => kin.get(each.record.id) ?? '').values()].filter(
    (members) => members.length > Math.max(1, usable.length * largestShare),
  );
  const names = new Map(kin);
  for (const members of tooLarge) {
    for (const [id, name] of join(members, (each) => [`conversation ${each.example.group}`]))
      names.set(id, name);
  }
  return names;
}

/** Joins records that share any key (union-find over the keys). */
function join(usable: readonly Usable[], keysOf: (each: Usable) => string[]): Map<string, string> {
  const parents = new Map<string, string>();
  const root = (key: string): string => {
    let current = key;
    for (let parent = parents.get(current); parent !== undefined; parent = parents.get(current)) {
      const grandparent = parents.get(parent);
      if (grandparent !== undefined) parents.set(current, grandparent);
      current = parent;
    }
    return current;
  };
  for (const each of usable) {
    const [first = '', ...rest] = keysOf(each).map(root);
    for (const other of rest) if (root(other) !== root(first)) parents.set(root(other), root(first));
  }
  return nameBySmallestId(usable, (each) => root(keysOf(each)[0] ?? ''));
}

function nameBySmallestId(usable: readonly Usable[], rootOf: (each: Usable) => string): Map<string, string> {
  const names = new Map<string, string>();
  for (const members of groupBy(usable, rootOf).values()) {
    const ids = members.map((each) => each.record.id).sort(compareText);
    for (const id of ids) names.set(id, ids[0] as string);
  }
  return names;
}
