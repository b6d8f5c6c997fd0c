import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Models that come with the clone, each a Hugging Face model folder. */
const shippedDir = fileURLToPath(new URL('../model-server/models', import.meta.url));

/** Base models by the name that requests use: an absolute folder, or an id at Hugging Face. */
export type LocalModels = Readonly<Record<string, string>>;

/** Where a candidate's model comes from, or why that cannot be told. */
type Source = { readonly source: string } | { readonly problem: string };

export function shippedModels(): LocalModels {
  const folders = existsSync(shippedDir) ? readdirSync(shippedDir).sort() : [];
  return Object.fromEntries(
    folders.map((name) => [name, join(shippedDir, name)] as const).filter(([, folder]) => isModel(folder)),
  );
}

/**
 * The shipped model of that name; else the folder, from the folder of `candidatesFile` on; else the id at
 * Hugging Face. What starts with `.`, `/` or `~` can only be a folder.
 */
export function modelSource(model: string, candidatesFile: string): Source {
  const shipped = shippedModels()[model];
  if (shipped !== undefined) return { source: shipped };
  const folder = resolve(dirname(candidatesFile), model.replace(/^~(?=\/|$)/, homedir()));
  if (isModel(folder)) return { source: folder };
  if (existsSync(folder))
    return { problem: `the folder ${folder} has no config.json; a Hugging Face model folder is needed` };
  if (/^[./~]/.test(model)) return { problem: `there is no folder ${folder}` };
  return { source: model };
}

function isModel(folder: string): boolean {
  return existsSync(join(folder, 'config.json'));
}
