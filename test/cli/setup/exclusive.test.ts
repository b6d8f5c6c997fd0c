import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { exclusive } from '../../../cli/setup/exclusive.ts';

function setup() {
  const dir = mkdtempSync(join(tmpdir(), 'flywheel-lock-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return join(dir, 'deep', 'step.lock');
}

it('lets one at a time work, and tells the other that it waits', async () => {
  const lock = setup();
  const events: string[] = [];
  let finish = () => {};
  const first = exclusive(
    lock,
    () => events.push('first waits'),
    () =>
      new Promise<void>((resolve) => {
        finish = resolve;
      }),
  );
  await vi.waitFor(() => expect(existsSync(lock)).toBe(true));

  const second = exclusive(
    lock,
    () => {
      events.push('second waits');
      finish();
    },
    async () => events.push('second works'),
  );
  await Promise.all([first, second]);

  expect(events).toEqual(['second waits', 'second works']);
  expect(existsSync(lock)).toBe(false);
});

it('takes over the lock of a process that is gone', async () => {
  const lock = setup();
  await exclusive(
    lock,
    () => {},
    async () => {},
  );
  writeFileSync(lock, String(2 ** 22 + 1));

  expect(
    await exclusive(
      lock,
      () => {},
      async () => 'done',
    ),
  ).toBe('done');
});

it('gives the lock back when the work fails', async () => {
  const lock = setup();

  await expect(
    exclusive(
      lock,
      () => {},
      () => Promise.reject(new Error('no space')),
    ),
  ).rejects.toThrow('no space');

  expect(existsSync(lock)).toBe(false);
});
