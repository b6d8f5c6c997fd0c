import { readFileSync } from 'node:fs';
import { dirname, isAbsolute, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readSafetySet, type SafetyItem } from '../domain/guardrails/safety-set.ts';

/** The set that comes with the clone. */
const ownFile = fileURLToPath(new URL('safety-set/items.jsonl', import.meta.url));

/** At the front of our own items' ids, which no id of a user's can have. */
const ownPrefix = 'flywheel/';

export interface LoadedSafetySet {
  readonly items: readonly SafetyItem[];
  /** Each as `file:line path: what`. */
  readonly problems: readonly string[];
}

/**
 * Our own safety items, and behind them those of the file that a policy names, `name`, relative to the folder of
 * `policiesFile`; it stays within that folder, since a policy may come by HTTP.
 */
export function loadSafetySet(policiesFile: string, name: string | null): LoadedSafetySet {
  const own = read(ownFile, 'items.jsonl');
  const items = own.items.map((item) => ({ ...item, id: `${ownPrefix}${item.id}` }));
  if (name === null) return { items, problems: own.problems };
  const given = readNamed(dirname(policiesFile), name);
  return { items: [...items, ...given.items], problems: [...own.problems, ...given.problems] };
}

function readNamed(folder: string, name: string): LoadedSafetySet {
  const path = resolve(folder, name);
  const inside = relative(folder, path);
  if (isAbsolute(name) || inside === '' || inside.startsWith('..') || isAbsolute(inside))
    return { items: [], problems: [`"${name}" must be a file in the folder of workloads.yaml`] };
  return read(path, name);
}

function read(path: string, name: string): LoadedSafetySet {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const what = code === 'ENOENT' ? 'does not exist' : `cannot be read (${code ?? 'unknown reason'})`;
    return { items: [], problems: [`${name} ${what}`] };
  }
  const { items, problems } = readSafetySet(text);
  return { items, problems: problems.map(({ line, what }) => `${name}:${line} ${what}`) };
}
