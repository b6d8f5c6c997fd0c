import { sha256 } from '../../domain/hash.ts';

/** What Flywheel makes is called this at the front: virtual models have no other place for whose they are. */
const prefix = 'flywheel-';

/** Marks what has a place for it (filesets, model entities). */
export const madeBy = { made_by: 'flywheel' };
export const madeByDescription = 'Made by Flywheel.';

export function isOurs(name: string): boolean {
  return name.startsWith(prefix);
}

/** A job's name is its idempotency key: the platform refuses a second job of one name. */
export function jobName(kind: 'tune' | 'eval' | 'judge', key: string): string {
  return `${prefix}${kind}-${sha256(key).slice(0, 24)}`;
}

/** By content, so that experiments on one dataset share it. */
export function datasetName(contentSha256: string): string {
  return `${prefix}data-${contentSha256.slice(0, 32)}`;
}

/** The whole form: a workload may be called `data`, and its adapter’s fileset is named after it. */
export function isDatasetName(name: string): boolean {
  return new RegExp(`^${prefix}data-[0-9a-f]{32}$`).test(name);
}

/** Readable, and unique to its training. `suffix`: `[a-z0-9-]`, at most 40 characters. */
export function adapterName(suffix: string, key: string): string {
  return `${prefix}${suffix}-${sha256(key).slice(0, 12)}`;
}

/** Whether the training job of that name makes the adapter of this one: both end in a hash of its key. */
export function makesAdapter(job: string, adapter: string): boolean {
  const hash = /-([0-9a-f]{12})$/.exec(adapter)?.[1];
  return hash !== undefined && job.startsWith(`${prefix}tune-${hash}`);
}

/** A name within a workspace, as the platform refers to it: `flywheel/nano-1m`. */
export interface Reference {
  readonly workspace: string;
  readonly name: string;
}

/** `workspace/name`, or `name` in our own workspace. */
export function toReference(text: string, workspace: string): Reference {
  const slash = text.indexOf('/');
  return slash < 0
    ? { workspace, name: text }
    : { workspace: text.slice(0, slash), name: text.slice(slash + 1) };
}

export function referenceText({ workspace, name }: Reference): string {
  return `${workspace}/${name}`;
}

/** By content: changed rules are another configuration, and nobody checks by half of a change. */
export function guardrailName(spoken: 'question' | 'answer', patterns: readonly string[]): string {
  return `${prefix}guard-${spoken}-${sha256(JSON.stringify(patterns)).slice(0, 24)}`;
}
