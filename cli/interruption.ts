import { exitCodes } from './exit-codes.ts';

export interface Interruption {
  /** Aborted by the first SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
  /** Stops listening. */
  forget(): void;
}

/** What is listened to and acted on; a test's own instead of the process's. */
export interface InterruptionSources {
  readonly process: Pick<NodeJS.Process, 'on' | 'off'> & { exit(code: number): void };
  /** Milliseconds on a clock that only goes forward. */
  readonly now: () => number;
}

/**
 * One Ctrl-C may arrive more than once: npm passes on the signal that the terminal has already sent to the
 * whole process group. Nobody presses a second time so soon and means it.
 */
const repeatMs = 1_000;

/** The first Ctrl-C asks the command to clean up; a later one ends the process at once. */
export function listenForInterruption(
  { process: source, now }: InterruptionSources = { process, now: () => performance.now() },
): Interruption {
  const controller = new AbortController();
  let firstAt = 0;
  const onSignal = () => {
    if (!controller.signal.aborted) {
      firstAt = now();
      controller.abort(new Error('interrupted'));
    } else if (now() - firstAt > repeatMs) source.exit(exitCodes.interrupted);
  };
  const names = ['SIGINT', 'SIGTERM'] as const;
  for (const name of names) source.on(name, onSignal);
  return {
    signal: controller.signal,
    forget: () => {
      for (const name of names) source.off(name, onSignal);
    },
  };
}
