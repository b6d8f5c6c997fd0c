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

const endings = new Set<Ending>();
let listening = false;

/** Where the copies of this package in one process, each with its listener, count themselves. */
const copiesKey = Symbol.for('flywheel-sdk signal listeners');

/**
 * Flushes when the process ends by itself, or by SIGTERM or SIGINT. Where the application listens to such a signal,
 * the end is its own and we only begin to flush; where nobody does but onlookers like us, the process ends by that
 * signal as it would have. `process.exit()` leaves no time: call `flush()` before it.
 *
 * We listen in front of everybody who was there before: a `once` listener is gone from the list when its turn has
 * come, and we would take the application's end for our own.
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
  copies().count += 1;
  process.on('beforeExit', onBeforeExit);
  process.on('exit', onExit);
  for (const signal of signals) process.prependListener(signal, onSignal);
}

function unlisten(): void {
  if (!listening) return;
  listening = false;
  copies().count -= 1;
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

function onSignal(signal: NodeJS.Signals): void {
  const isOurs = process.listenerCount(signal) <= onlookers();
  void flushAll().then(() => {
    if (!isOurs) return;
    onExit();
    unlisten();
    process.kill(process.pid, signal);
  });
}

/**
 * How many of a signal's listeners only want to know of it.
 *
 * `signal-exit` (in execa, ora and many more) ends the process only where nobody else listens, as we do: each would
 * leave the end to the other. Its versions 3 and 4 count their listeners, one per copy and signal, for one another.
 */
function onlookers(): number {
  const version3: unknown = Reflect.get(process, '__signal_exit_emitter__');
  const version4: unknown = Reflect.get(globalThis, Symbol.for('signal-exit emitter'));
  return copies().count + countOf(version3) + countOf(version4);
}

function countOf(emitter: unknown): number {
  const count = typeof emitter === 'object' && emitter !== null && 'count' in emitter ? emitter.count : 0;
  return typeof count === 'number' ? count : 0;
}

function copies(): { count: number } {
  const shared = globalThis as { [copiesKey]?: { count: number } };
  shared[copiesKey] ??= { count: 0 };
  return shared[copiesKey];
}
