/** One process of the stack, as the supervisor sees it. */
export interface Service {
  /** As people read it: `model server`. */
  readonly name: string;
  readonly logFile: string;
  /**
   * Starts it and resolves once it answers. Rejects, with nothing left running, when it does not, or when
   * `signal` is aborted first.
   */
  start(signal: AbortSignal): Promise<RunningService>;
}

/** How a process ended, as far as it is known: its exit code, or that and the signal. */
export type Exit = number | null | { readonly code: number | null; readonly signal: NodeJS.Signals | null };

export interface RunningService {
  readonly pid: number;
  /** Resolves when the process has ended, wanted or not. */
  readonly exited: Promise<Exit>;
  /** Ends it in order, by force if it must. Harmless when it has ended. */
  stop(): Promise<void>;
}
