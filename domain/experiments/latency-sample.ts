import { sha256 } from '../hash.ts';

/**
 * Enough that the P95, by nearest rank, is not the slowest answer of all; few enough to be asked beside a job that
 * asks all of them.
 */
const size = 30;

/**
 * The items that are asked once more for how long an answer takes, where an evaluator asks that does not tell. By
 * a hash of their ids, so that each experiment of a run measures the same ones.
 */
export function latencySample(itemIds: readonly string[]): ReadonlySet<string> {
  const byHash = itemIds.map((id) => [sha256(id), id] as const).sort(([a], [b]) => (a < b ? -1 : 1));
  return new Set(byHash.slice(0, size).map(([, id]) => id));
}
