import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import type { Route } from '../../domain/routes/route.ts';

const Serving = z.object({
  provider: z.string(),
  model: z.string(),
  fewShotUri: z.string().nullable(),
  similarity: z
    .object({
      provider: z.string(),
      model: z.string(),
      relevanceShare: z.number(),
      maxExamples: z.number(),
    })
    .exactOptional(),
  maxTokens: z.number(),
});

const RouteRow: z.ZodType<Route> = z.object({
  workloadId: z.string(),
  version: z.number(),
  serving: Serving.nullable(),
  previous: Serving.nullable(),
  digest: z.string().nullable(),
  runId: z.string().nullable(),
  since: z.string(),
});

/** Routes as they were last seen; null when there is no file yet or it cannot be used. */
export async function readLastKnown(path: string): Promise<readonly Route[] | null> {
  try {
    const parsed = z.array(RouteRow).safeParse(JSON.parse(await readFile(path, 'utf8')));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

/** Whole or not at all, whatever dies in between. */
export async function writeLastKnown(path: string, routes: readonly Route[]): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const draft = `${path}.draft`;
  const file = await open(draft, 'w', 0o600);
  try {
    await file.writeFile(JSON.stringify(routes));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
}
