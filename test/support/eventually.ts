import { setTimeout as sleep } from 'node:timers/promises';

/** Repeats an expectation, ever less often, until it holds; fails with its own message after `timeoutMs`. */
export async function eventually<T>(expectation: () => Promise<T> | T, timeoutMs = 20_000): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (let pauseMs = 50; ; pauseMs = Math.min(2 * pauseMs, 800)) {
    try {
      return await expectation();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(pauseMs);
    }
  }
}
