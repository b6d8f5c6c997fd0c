import { z } from 'zod';

/** Trimmed text that PostgreSQL can hold: it has no NUL. */
export const storableText = z
  .string()
  .trim()
  .refine((text) => !text.includes('\0'), 'must not hold a NUL character');
