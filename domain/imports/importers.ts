import { clinc150 } from './clinc150.ts';
import type { Importer } from './importer.ts';
import { jsonl } from './jsonl.ts';

/** Every file format that `flywheel import --format` knows. */
export const importers = { jsonl, clinc150 } as const satisfies Record<string, Importer>;

export type ImportFormat = keyof typeof importers;
