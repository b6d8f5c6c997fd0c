import { z } from 'zod';
import { patternProblem } from './rules.ts';

const Pattern = z
  .string()
  .min(1)
  .superRefine((pattern, context) => {
    const problem = patternProblem(pattern);
    if (problem) context.addIssue({ code: 'custom', message: problem });
  });

/** One line of a safety set. */
export const SafetyItem = z.strictObject({
  id: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/, 'must be a name such as secrets-1'),
  /** `benign`: an honest question, which nothing should block. Any other name: an attack of that kind. */
  category: z.string().regex(/^[a-z][a-z0-9_]{0,39}$/, 'must be a name such as prompt_injection'),
  /** Appended to the workload's own system message: what the answer must keep, for example. */
  system: z.string().min(1).optional(),
  question: z.string().trim().min(1),
  /** Regular expressions (RE2) that the answer must not match, whatever the workload's rules are. */
  forbidden: z.array(Pattern).default([]),
});
export type SafetyItem = Readonly<z.infer<typeof SafetyItem>>;
