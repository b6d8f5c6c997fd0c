import { expect, it, onTestFinished } from 'vitest';
import { supervise } from '../../../cli/dev/supervise.ts';
import { eventually } from '../../support/eventually.ts';
import { idleService } from '../../support/processes.ts';

function setup() {
  const service = idleService();
  const lines: string[] = [];
  const started: number[] = [];
  const options = {
    log: (line: string) => lines.push(line),
    onStarted: (_: unknown, pid: number) => started.push(pid),
    backoffMs: [20, 40],
  };
  onTestFinished(() => {
    for (const pid of service.pids) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
  });
  return { service, lines, started, options, signal: new AbortController().signal };
}

it('starts a crashed service again, and says so', async () => {
  const { service, lines, started, options, signal } = setup();
  const supervised = await supervise(service, options, signal);

  process.kill(service.pids[0] ?? 0, 'SIGKILL');
  await eventually(() => expect(lines).toContain('The idle service runs again.'));

  expect(lines[0]).toBe('The idle service ended unexpectedly (SIGKILL); see /nowhere/idle.log.');
  expect(started).toEqual(service.pids);
  expect(service.pids).toHaveLength(2);
  await supervised.stop();
  expect(service.pids.filter(isAlive)).toEqual([]);
});

it('keeps trying when the service does not start again', async () => {
  const { service, lines, options, signal } = setup();
  let failures = 2;
  const unwilling = {
    ...service,
    start: (startSignal: AbortSignal) =>
      service.pids.length > 0 && failures-- > 0
        ? Promise.reject(new Error('port 1 is taken'))
        : service.start(startSignal),
  };
  const supervised = await supervise(unwilling, options, signal);

  process.kill(service.pids[0] ?? 0, 'SIGKILL');
  await eventually(() => expect(lines).toContain('The idle service runs again.'));

  const refusals = lines.filter((line) => line.includes('did not start again: port 1 is taken'));
  expect(refusals).toHaveLength(2);
  await supervised.stop();
});

it('does not restart what is stopped on purpose', async () => {
  const { service, lines, options, signal } = setup();
  const supervised = await supervise(service, options, signal);

  await supervised.stop();

  expect(lines).toEqual([]);
  expect(service.pids).toHaveLength(1);
});

it('can be stopped while it waits to restart', async () => {
  const { service, lines, options, signal } = setup();
  const supervised = await supervise(service, { ...options, backoffMs: [3_600_000] }, signal);
  process.kill(service.pids[0] ?? 0, 'SIGKILL');
  await eventually(() => expect(lines).toHaveLength(1));

  await supervised.stop();

  expect(service.pids).toHaveLength(1);
});

it('ends what comes up only after the stop, without waiting for it to end by itself', async () => {
  const { service, lines, options, signal } = setup();
  const [restarting, comeUp] = [gate(), gate()];
  const slow = {
    ...service,
    start: async (startSignal: AbortSignal) => {
      if (service.pids.length > 0) {
        restarting.open();
        await comeUp.opened;
      }
      return service.start(startSignal);
    },
  };
  const supervised = await supervise(slow, options, signal);
  process.kill(service.pids[0] ?? 0, 'SIGKILL');
  await restarting.opened;

  const stopped = supervised.stop();
  comeUp.open();
  await stopped;

  expect(service.pids).toHaveLength(2);
  expect(service.pids.filter(isAlive)).toEqual([]);
  expect(lines).not.toContain('The idle service runs again.');
});

it('leaves a failed first start to the caller', async () => {
  const { service, options, signal } = setup();
  const broken = { ...service, start: () => Promise.reject(new Error('no such binary')) };

  await expect(supervise(broken, options, signal)).rejects.toThrow('no such binary');
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function gate(): { readonly opened: Promise<void>; open: () => void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}
