import { sha256 } from '../../domain/hash.ts';

/** What everything of ours begins with. */
export const prefix = 'flywheel';

/** For names of repositories, models and Kubernetes objects alike. */
function plain(text: string, longest: number): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, longest)
    .replace(/^-+|-+$/g, '');
}

/** Sixteen hex digits: enough that no two keys of one installation meet. */
function keyHash(key: string): string {
  return sha256(key).slice(0, 16);
}

/**
 * `flywheel-<workload>-<run>-<hash>`: workload and run for people, the hash of the key to be found by. At most 94
 * characters, below the 96 of a repository's name.
 */
export function ourName(metadata: Readonly<Record<string, string>>, key: string): string {
  const workload = plain(metadata['workload_id'] ?? 'workload', 30) || 'workload';
  const run = plain(metadata['run_id'] ?? 'run', 36) || 'run';
  return `${prefix}-${workload}-${run}-${keyHash(key)}`;
}

/** Whether a name (without namespace, with or without a revision) was made by `ourName` for the key. */
export function isNamedBy(name: string, key: string): boolean {
  return name.startsWith(`${prefix}-`) && name.replace(/@.*$/, '').endsWith(`-${keyHash(key)}`);
}

/** Whether Flywheel made something of this name. */
export function isOurName(name: string): boolean {
  return name.startsWith(`${prefix}-`);
}

/** A job's description, for people: workload and run. */
export function describedBy(metadata: Readonly<Record<string, string>>): string {
  return `Flywheel: ${metadata['workload_id'] ?? ''} ${metadata['run_id'] ?? ''}`.trim();
}
