import type { KeptThing } from '../../activities/ports/inventory.ts';

export interface CleanedThing extends KeptThing {
  readonly provider: string;
  /** In a dry run, what would become of it. */
  readonly outcome: 'removed' | 'kept' | 'failed';
  /** Why it was not removed; null where it was. */
  readonly reason: string | null;
}

/** What could not be asked: the report lacks its part. */
export interface Problem {
  /** A provider's name, or `Temporal`. */
  readonly who: string;
  readonly reason: string;
}

export interface CleanupReport {
  readonly things: readonly CleanedThing[];
  readonly problems: readonly Problem[];
  /** Providers of which nothing is listed, nor removed: what a training uploaded and made there stays there. */
  readonly notListed: readonly string[];
}

/** The first line: what drivers throw goes on with what a user has no use for. */
export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split('\n')[0] ?? text;
}
