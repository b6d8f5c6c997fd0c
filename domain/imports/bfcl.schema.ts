import { z } from 'zod';
import type { JsonObject } from '../json.ts';

const Verbatim = z.custom<JsonObject>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  'must be an object',
);

/** One line of a `BFCL_v4_*.json` file: a question in turns, and the functions that it offers. */
export const BfclQuestion = z.object({
  id: z.string().min(1),
  question: z.array(z.array(Verbatim).min(1)).min(1),
  function: z.array(
    z.object({
      name: z.string().min(1),
      description: z.string().optional(),
      parameters: Verbatim.optional(),
    }),
  ),
});

export type BfclQuestion = z.infer<typeof BfclQuestion>;

/** One line of its `possible_answer` file: calls by name, and for each argument every value that is right. */
export const BfclAnswer = z.object({
  id: z.string().min(1),
  ground_truth: z.array(z.record(z.string(), Verbatim)).min(1),
});

export type BfclAnswer = z.infer<typeof BfclAnswer>;
