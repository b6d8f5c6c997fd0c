import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { exclusive } from '../../../cli/setup/exclusive.js';
import { identify } from '../../../cli/setup/process-identity.js';

const nothing = () => {};

function setup() {
  const dir = mkdtempSync(join(tmpdir(), 'flywheel-queue-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const queue = join(dir, 'deep', 'step.queue');
  mkdirSync(queue, { recursive: true });
  /** The file of a process that was killed while it worked, waited or drew its number. */
  const leave = (name: string, { pid, began }: { pid: number; began: string }) =>
    writeFileSync(join(queue, name), JSON.stringify({ pid, began }));
  return { dir, queue, leave };
}

const dead = { pid: 2 ** 22 + 1, began: '12' };

it('lets one at a time work, and tells the other that it waits', async () => {
  const { queue } = setup();
  const events: string[] = [];
  let finish = nothing;
  const first = exclusive(
    queue,
    () => events.push('first waits'),
    () => new Promise<void>((resolve) => (finish = resolve)),
  );
  await vi.waitFor(() => expect(finish).not.toBe(nothing));

  const second = exclusive(
    queue,
    () => {
      events.push('second waits');
      finish();
    },
    async () => events.push('second works'),
  );
  await Promise.all([first, second]);

  expect(events).toEqual(['second waits', 'second works']);
  expect(readdirSync(queue)).toEqual([]);
});

it('passes over processes that are gone', async () => {
  const { queue, leave } = setup();
  leave('ticket-1-a', dead);
  leave('choosing-b', dead);

  expect(await exclusive(queue, nothing, async () => 'done')).toBe('done');
  expect(readdirSync(queue)).toEqual([]);
});

it('is not held up by a process that was given the number of a dead one, as in a new container', async () => {
  const { queue, leave } = setup();
  leave('ticket-1-a', { pid: process.pid, began: `${Number(identify(process.pid)?.began) - 1}` });

  expect(await exclusive(queue, nothing, async () => 'done')).toBe('done');
});

it('gives the turn back when the work fails', async () => {
  const { queue } = setup();

  await expect(exclusive(queue, nothing, () => Promise.reject(new Error('no space')))).rejects.toThrow(
    'no space',
  );

  expect(await exclusive(queue, nothing, async () => 'next')).toBe('next');
});

it('never lets two processes in, however many find the one before them killed', async () => {
  const { dir, queue } = setup();
  const log = join(dir, 'log');
  const script = `
    import { appendFileSync, openSync, rmSync, closeSync } from 'node:fs';
    import { exclusive } from ${JSON.stringify(new URL('../../../cli/setup/exclusive.js', import.meta.url).href)};
    for (let turn = 1; turn <= 6; turn++) await exclusive(${JSON.stringify(queue)}, () => {}, async () => {
      appendFileSync(${JSON.stringify(log)}, 'in ' + process.pid + '\\n');
      await new Promise((resolve) => setTimeout(resolve, 15));
      if (turn === 3 && process.argv[1] === 'dies') process.kill(process.pid, 'SIGKILL');
      appendFileSync(${JSON.stringify(log)}, 'out ' + process.pid + '\\n');
    });`;

  const children = ['lives', 'dies', 'lives', 'dies', 'lives'].map((fate) =>
    spawn(process.execPath, ['--input-type=module', '-e', script, fate], { stdio: 'ignore' }),
  );
  const codes = await Promise.all(children.map(async (child) => (await once(child, 'exit'))[0] as number));

  expect(codes.filter((code) => code === 0)).toHaveLength(3);
  const entries = readFileSync(log, 'utf8').trim().split('\n');
  expect(entries.filter((entry) => entry.startsWith('in '))).toHaveLength(3 * 6 + 2 * 3);
  expect(overlaps(entries, new Set(children.map(({ pid }) => pid ?? 0)))).toEqual([]);
});

/** Pairs of processes that were inside at once; one that was killed inside is out by the next entry. */
function overlaps(entries: readonly string[], pids: ReadonlySet<number>): string[] {
  const outs = new Map([...pids].map((pid) => [pid, entries.filter((e) => e === `out ${pid}`).length]));
  const found: string[] = [];
  const ins = new Map<number, number>();
  let inside: number | null = null;
  for (const entry of entries) {
    const [what, pid] = [entry.split(' ')[0], Number(entry.split(' ')[1])];
    if (what === 'out') inside = null;
    else {
      if (inside !== null) found.push(`${inside} and ${pid}`);
      const turn = (ins.get(pid) ?? 0) + 1;
      ins.set(pid, turn);
      // Its last turn has no end when it was killed in it.
      inside = turn > (outs.get(pid) ?? 0) ? null : pid;
    }
  }
  return found;
}
