/** Something that wants a moment before the process ends. */
export interface Ending {
  /** Whether there is anything to wait for. */
  isIdle(): boolean;
  /** Bounded in time; never rejects. */
  flush(): Promise<void>;
  /** Nothing can be awaited any more. */
  ended(): void;
}

const signals = ['SIGTERM', 'SIGINT'] as const;
type Signal = (typeof signals)[number];

const endings = new Set<Ending>();
let listening = false;

/**
 * Flushes when the process ends by itself, or by SIGTERM or SIGINT. Where the application listens to such a signal,
 * the end is its own and we only begin to flush; where nobody else does, the process ends by that signal as it
 * would have. `process.exit()` leaves no time: call `flush()` before it.
 */
export function beforeExit(ending: Ending): () => void {
  endings.add(ending);
  if (!listening) listen();
  return () => {
    endings.delete(ending);
    if (endings.size === 0) unlisten();
  };
}

function listen(): void {
  listening = true;
  process.on('beforeExit', onBeforeExit);
  process.on('exit', onExit);
  for (const signal of signals) process.on(signal, onSignal);
}

function unlisten(): void {
  listening = false;
  process.off('beforeExit', onBeforeExit);
  process.off('exit', onExit);
  for (const signal of signals) process.off(signal, onSignal);
}

async function flushAll(): Promise<void> {
  await Promise.all([...endings].map((ending) => ending.flush()));
}

function onBeforeExit(): void {
  // What could not be sent in time is given up, so this ends: Node asks again whenever there was work to do.
  if ([...endings].some((ending) => !ending.isIdle())) void flushAll();
}

function onExit(): void {
  for (const ending of endings) ending.ended();
}

function onSignal(signal: Signal): void {
  const isOurs = process.listenerCount(signal) === 1;
  void flushAll().then(() => {
    if (!isOurs) return;
    onExit();
    unlisten();
    process.kill(process.pid, signal);
  });
}
