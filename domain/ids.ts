import type { Strategy } from './experiments/experiment.ts';

/** `run-<UTC time>-<random>`: sorts by time; `random` is a few characters of `[a-z0-9]`, made by the caller. */
export function newRunId(now: Date, random: string): string {
  const time = now.toISOString().replace(/[-:]|\.\d+/g, '');
  return `run-${time.toLowerCase()}-${random}`;
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
