import type { Strategy } from './experiments/experiment.ts';

const plainId = /^\w[\w.:/@+-]{0,199}$/;

/** What `isPlainId` allows, to be said after "must be". */
export const plainIdRule = '1 to 200 of A-Z a-z 0-9 _ . : / @ + -, beginning with a letter, a digit or _';

/**
 * Whether a workload or client id can be used. They stand in workflow ids, headers, file names and commands
 * for people to paste: nothing in them may mean something to a shell or in Markdown.
 */
export function isPlainId(text: string): boolean {
  return plainId.test(text);
}

/** `run-<UTC time>-<random>`: sorts by time; `random` is a few characters of `[a-z0-9]`, made by the caller. */
export function newRunId(now: Date, random: string): string {
  const time = now.toISOString().replace(/[-:]|\.\d+/g, '');
  return `run-${time.toLowerCase()}-${random}`;
}

/** The run id in a name that was made of one, the last if there are several; null where there is none. */
export function runIdIn(name: string): string | null {
  return name.match(/run-\d{8}t\d{6}z-[a-z0-9]+/g)?.at(-1) ?? null;
}

/** One snapshot per run. */
export function snapshotId(runId: string): string {
  return `snap-${runId.replace(/^run-/, '')}`;
}

/** One dataset per run; its files are content-addressed and shared between equal datasets all the same. */
export function datasetId(runId: string): string {
  return `data-${runId.replace(/^run-/, '')}`;
}

export function experimentId(runId: string, candidate: string, strategy: Strategy | 'champion'): string {
  return `${runId}/${candidate}/${strategy}`;
}
