import { compareText } from '../order.ts';

/**
 * Shares out `total` whole items over classes in proportion to `weights`, no class above its `caps`, by
 * largest remainder. What a capped class cannot take goes to the others; less than `total` comes back only
 * when all caps together are less. Deterministic: ties go to the class whose name sorts first.
 */
export function allocate(
  total: number,
  weights: ReadonlyMap<string, number>,
  caps: ReadonlyMap<string, number>,
): Map<string, number> {
  const capOf = (name: string): number => Math.max(0, caps.get(name) ?? 0);
  const names = [...weights.keys()].sort(compareText);
  const weightSum = [...weights.values()].reduce((sum, weight) => sum + weight, 0);
  const ideal = (name: string): number =>
    weightSum === 0 ? 0 : (total * (weights.get(name) ?? 0)) / weightSum;

  const given = new Map(names.map((name) => [name, Math.min(Math.floor(ideal(name)), capOf(name))]));
  let left = total - [...given.values()].reduce((sum, count) => sum + count, 0);
  while (left > 0) {
    const open = names.filter((name) => (given.get(name) ?? 0) < capOf(name));
    if (open.length === 0) break;
    const lack = (name: string): number => ideal(name) - (given.get(name) ?? 0);
    const neediest = open.reduce((best, name) => (lack(name) > lack(best) ? name : best));
    given.set(neediest, (given.get(neediest) ?? 0) + 1);
    left -= 1;
  }
  return given;
}
