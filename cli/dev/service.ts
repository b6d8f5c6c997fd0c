/** One process of the stack, as the supervisor sees it. */
export interface Service {
  /** As people read it: `model server`. */
  readonly name: string;
  readonly logFile: string;
  /** Starts it and resolves once it answers. Rejects, with nothing left running, when it does not. */
  start(signal: AbortSignal): Promise<RunningService>;
}

export interface RunningService {
  readonly pid: number;
  /** Resolves when the process has ended, wanted or not; with its exit code or signal where known. */
  readonly exited: Promise<unknown>;
  /** Ends it in order, by force if it must. Harmless when it has ended. */
  stop(): Promise<void>;
}
