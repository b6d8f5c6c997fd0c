import { z } from 'zod';

const Question = z.tuple([z.string(), z.string()]);

/** CLINC150's `data_full.json`: `[question, intent]` by split; `oos` is the intent of what is out of scope. */
export const Clinc150File = z.object({
  train: z.array(Question),
  val: z.array(Question),
  test: z.array(Question),
  oos_train: z.array(Question),
  oos_val: z.array(Question),
  oos_test: z.array(Question),
});

export type Clinc150File = z.infer<typeof Clinc150File>;

/** CLINC150's `domains.json`: the intents of each domain. */
export const Clinc150Domains = z.record(z.string(), z.array(z.string()).min(1));
