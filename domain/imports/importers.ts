import { banking77 } from './banking77.ts';
import { bfcl } from './bfcl.ts';
import { clinc150 } from './clinc150.ts';
import type { Importer } from './importer.ts';
import { jsonl } from './jsonl.ts';
import { openaiStored } from './openai-stored.ts';
import { tauBench } from './tau-bench.ts';

/** Every file format that `flywheel import --format` knows. */
export const importers = {
  jsonl,
  'openai-stored': openaiStored,
  clinc150,
  banking77,
  bfcl,
  'tau-bench': tauBench,
} as const satisfies Record<string, Importer>;

export type ImportFormat = keyof typeof importers;
