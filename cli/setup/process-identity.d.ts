/** A process told apart from a later one that was given the same id: by when it began. */
export interface ProcessIdentity {
  readonly pid: number;
  /** As the system tells it: comparable for equality only. */
  readonly began: string;
}

/** Null when no such process runs. A zombie, which only waits for its parent to notice, does not run. */
export function identify(pid: number): ProcessIdentity | null;

export function isRunning(identity: ProcessIdentity): boolean;
