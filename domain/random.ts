import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** A seeded source of randomness: the same seed gives the same draws, on every machine. */
export interface Random {
  /** A whole number in [0, bound). `bound` is at least 1. */
  below(bound: number): number;
  /** True with the given probability. */
  chance(probability: number): boolean;
  pick<T>(items: readonly T[]): T;
  /** A shuffled copy (Fisher-Yates). */
  shuffle<T>(items: readonly T[]): T[];
}

export function createRandom(seed: number): Random {
  const generator = xoroshiro128plus(seed | 0);
  const below = (bound: number): number => uniformInt(generator, 0, bound - 1);

  return {
    below,
    chance: (probability) => uniformFloat64(generator) < probability,
    pick: (items) => {
      if (items.length === 0) throw new RangeError('There is nothing to pick from.');
      return items[below(items.length)] as (typeof items)[number];
    },
    shuffle: (items) => {
      const shuffled = [...items];
      for (let last = shuffled.length - 1; last > 0; last -= 1) {
        const other = below(last + 1);
        const moved = shuffled[last] as (typeof items)[number];
        shuffled[last] = shuffled[other] as (typeof items)[number];
        shuffled[other] = moved;
      }
      return shuffled;
    },
  };
}
