import { banking77 } from './banking77.ts';
import { bfcl } from './bfcl.ts';
import { clinc150 } from './clinc150.ts';
import type { Importer } from './importer.ts';
import { jsonl } from './jsonl.ts';
import { langfuse } from './langfuse.ts';
import { langsmith } from './langsmith.ts';
import { openaiStored } from './openai-stored.ts';
import { otel } from './otel.ts';
import { tauBench } from './tau-bench.ts';

/** Every file format that `flywheel import --format` knows. */
export const importers = {
  jsonl,
  'openai-stored': openaiStored,
  otel,
  langfuse,
  langsmith,
  clinc150,
  banking77,
  bfcl,
  'tau-bench': tauBench,
} as const satisfies Record<string, Importer>;

export type ImportFormat = keyof typeof importers;
