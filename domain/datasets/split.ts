import { sha256 } from '../hash.ts';
import { compareText } from '../order.ts';
import { allocate } from './allocate.ts';
import type { Example, SplitName } from './dataset.ts';
import { groupBy } from './dedupe.ts';

export interface SplitSizes {
  readonly validation: number;
  readonly eval: number;
}

/** The two splits that are measured on; what they do not take is trained on. */
const heldOut = ['eval', 'validation'] as const;

/**
 * Splits examples in groups, stratified by label, seeded.
 *
 *   groups of several → each to the split that is emptiest, by the labels it brings, and still has room
 *   single examples   → fill each held-out split up to its size, by the labels it still lacks
 *   the rest          → train
 *
 * Order comes from a hash of seed and id, not from a shuffle: it is the same for any order of `examples`, and
 * records that arrive later leave most of the eval split as it was. A label keeps an example in train while
 * others can be spared.
 */
export function split(
  examples: readonly Example[],
  sizes: SplitSizes,
  seed: number,
): Record<SplitName, Example[]> {
  const groups = [...groupBy(examples, (each) => each.group).entries()]
    .map(([name, members]) => ({ rank: sha256(`${seed} group ${name}`), members }))
    .sort((left, right) => right.members.length - left.members.length || compareText(left.rank, right.rank))
    .map((group) => group.members);
  const labels = countLabels(examples);
  const splits: Record<SplitName, Example[]> = { train: [], validation: [], eval: [] };
  const held: Record<SplitName, Map<string, number>> = {
    train: new Map(),
    validation: new Map(),
    eval: new Map(),
  };

  const plan = planSplits(examples.length, labels, sizes);
  for (const members of groups.filter((group) => group.length > 1)) {
    const chosen = emptiestSplit(members, plan, held, (name) => splits[name].length);
    splits[chosen].push(...members);
    for (const { label } of members) held[chosen].set(label, (held[chosen].get(label) ?? 0) + 1);
  }

  let singles = groups.filter((group) => group.length === 1).flat();
  for (const name of heldOut) {
    const taken = new Set(fill(singles, plan, name, splits));
    splits[name].push(...taken);
    singles = singles.filter((each) => !taken.has(each));
  }
  splits.train.push(...singles);
  return {
    train: inOrder(splits.train, seed),
    validation: inOrder(splits.validation, seed),
    eval: inOrder(splits.eval, seed),
  };
}

/** Mixed by a hash of its own: with that of the groups, what train starts with would not be a fair sample. */
function inOrder(examples: readonly Example[], seed: number): Example[] {
  return examples
    .map((example) => ({ example, rank: sha256(`${seed} row ${example.recordId}`) }))
    .sort((left, right) => compareText(left.rank, right.rank))
    .map(({ example }) => example);
}

interface Plan {
  readonly size: Readonly<Record<SplitName, number>>;
  /** How many of each label a split should hold. Fractions for groups to aim at. */
  readonly wanted: (split: SplitName, label: string) => number;
}

function planSplits(total: number, labels: ReadonlyMap<string, number>, sizes: SplitSizes): Plan {
  const size = { ...sizes, train: total - sizes.validation - sizes.eval };
  return { size, wanted: (name, label) => ((labels.get(label) ?? 0) * size[name]) / total };
}

/** Where the share still wanted of a group's labels is largest. Train always has room. */
function emptiestSplit(
  members: readonly Example[],
  plan: Plan,
  held: Readonly<Record<SplitName, ReadonlyMap<string, number>>>,
  sizeOf: (split: SplitName) => number,
): SplitName {
  const hasRoom = (name: SplitName): boolean =>
    name === 'train' || sizeOf(name) + members.length <= plan.size[name];
  const need = (name: SplitName): number => {
    const shares = members.map(({ label }) => {
      const wanted = plan.wanted(name, label);
      return wanted === 0 ? 0 : (wanted - (held[name].get(label) ?? 0)) / wanted;
    });
    return shares.reduce((sum, share) => sum + share, 0);
  };
  const open = (['train', ...heldOut] as const).filter(hasRoom);
  return open.reduce((best, name) => (need(name) > need(best) ? name : best));
}

/** Picks the single examples that bring a held-out split to its size with the labels it lacks. */
function fill(
  singles: readonly Example[],
  plan: Plan,
  name: SplitName,
  splits: Readonly<Record<SplitName, Example[]>>,
): Example[] {
  const byLabel = groupBy(singles, (each) => each.label);
  const present = countLabels(splits[name]);
  const inTrain = countLabels(splits.train);
  const available = new Map([...byLabel].map(([label, members]) => [label, members.length]));
  const weights = mapValues(available, (_, label) =>
    Math.max(0, plan.wanted(name, label) - (present.get(label) ?? 0)),
  );
  const spare = mapValues(available, (count, label) => (inTrain.has(label) ? count : count - 1));
  const size = plan.size[name] - splits[name].length;
  const quotas = allocate(size, weights, spare);
  // With nearly as many labels as examples too few can be spared: then some labels are not trained on.
  const short = size - [...quotas.values()].reduce((sum, count) => sum + count, 0);
  const rest = allocate(
    short,
    weights,
    mapValues(available, (count, label) => count - (quotas.get(label) ?? 0)),
  );
  return [...byLabel].flatMap(([label, members]) =>
    members.slice(0, (quotas.get(label) ?? 0) + (rest.get(label) ?? 0)),
  );
}

function mapValues(
  counts: ReadonlyMap<string, number>,
  change: (count: number, label: string) => number,
): Map<string, number> {
  return new Map([...counts].map(([label, count]) => [label, change(count, label)]));
}

export function countLabels(examples: readonly Example[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { label } of examples) counts.set(label, (counts.get(label) ?? 0) + 1);
  return counts;
}
