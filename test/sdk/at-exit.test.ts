import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

const signal = 'SIGTERM';
const version4 = Symbol.for('signal-exit emitter');
const shared = globalThis as unknown as Record<symbol, unknown>;
const listenToNothing = () => undefined;

let kill: ReturnType<typeof vi.spyOn>;
let others: NodeJS.SignalsListener[];

// As a process of an application: without the test runner's listeners, and it survives.
beforeEach(() => {
  kill = vi.spyOn(process, 'kill').mockReturnValue(true);
  others = process.listeners(signal);
  process.removeAllListeners(signal);
});

afterEach(() => {
  kill.mockRestore();
  process.removeAllListeners(signal);
  for (const listener of others) process.on(signal, listener);
  Reflect.deleteProperty(shared, version4);
  Reflect.deleteProperty(process, '__signal_exit_emitter__');
});

/** One copy of the package, as an application has when two of its packages bring their own. */
async function aCopy() {
  vi.resetModules();
  const { beforeExit } = await import('../../sdk/at-exit.ts');
  const ending = { isIdle: () => false, flush: vi.fn(async () => undefined), ended: vi.fn() };
  return { ...ending, forget: beforeExit(ending) };
}

async function receive(): Promise<void> {
  process.emit(signal, signal);
  await turn();
}

describe('a signal', () => {
  test('ends the process after a flush where nobody else listens', async () => {
    const { flush, ended } = await aCopy();

    await receive();

    expect(flush).toHaveBeenCalledOnce();
    expect(ended).toHaveBeenCalledOnce();
    expect(kill).toHaveBeenCalledExactlyOnceWith(process.pid, signal);
    expect(process.listenerCount(signal)).toBe(0);
  });

  test('is left to an application that listens', async () => {
    process.on(signal, listenToNothing);
    const { flush, forget } = await aCopy();

    await receive();
    forget();

    expect(flush).toHaveBeenCalledOnce();
    expect(kill).not.toHaveBeenCalled();
  });

  test('is left to an application that listened once, before we were there', async () => {
    const shutDown = vi.fn();
    process.once(signal, shutDown);
    const { flush, forget } = await aCopy();

    await receive();
    forget();

    expect(shutDown).toHaveBeenCalledOnce();
    expect(flush).toHaveBeenCalledOnce();
    expect(kill).not.toHaveBeenCalled();
  });

  test('that comes a second time, once the application listens no more, ends the process as without us', async () => {
    process.once(signal, listenToNothing);
    await aCopy();

    await receive();
    expect(kill).not.toHaveBeenCalled();
    await receive();

    expect(kill).toHaveBeenCalledExactlyOnceWith(process.pid, signal);
  });

  test.each([
    ['version 3', () => Object.assign(process, { __signal_exit_emitter__: { count: 1 } })],
    ['version 4', () => Object.assign(shared, { [version4]: { count: 1 } })],
  ])(
    'ends the process where only signal-exit (%s) listens too, but not beside an application',
    async (_, load) => {
      load();
      process.on(signal, listenToNothing);

      await aCopy();
      await receive();
      expect(kill).toHaveBeenCalledOnce();

      process.on(signal, listenToNothing);
      const { forget } = await aCopy();
      await receive();
      forget();
      expect(kill).toHaveBeenCalledOnce();
    },
  );

  test('ends the process where another copy of this package listens too', async () => {
    const [one, other] = [await aCopy(), await aCopy()];

    await receive();

    expect(one.flush).toHaveBeenCalledOnce();
    expect(other.flush).toHaveBeenCalledOnce();
    expect(kill).toHaveBeenCalledWith(process.pid, signal);
    expect(process.listenerCount(signal)).toBe(0);
  });
});
