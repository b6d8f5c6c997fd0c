import { z } from 'zod';
import type { Price } from '../domain/experiments/price.ts';

const amount = z.number().min(0);

/** A price as `candidates.yaml` and `workloads.yaml` have it. */
export const PriceEntry = z.strictObject({ prompt_usd_per_1m: amount, completion_usd_per_1m: amount });
type PriceEntry = z.infer<typeof PriceEntry>;

export function toPrice(entry: PriceEntry): Price {
  return { prompt: entry.prompt_usd_per_1m, completion: entry.completion_usd_per_1m };
}
