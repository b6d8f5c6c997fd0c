import { EventEmitter } from 'node:events';
import { expect, it } from 'vitest';
import { listenForInterruption } from '../../cli/interruption.ts';

function setup() {
  const exits: number[] = [];
  let clock = 50_000;
  const source = Object.assign(new EventEmitter(), { exit: (code: number) => exits.push(code) });
  const interruption = listenForInterruption({ process: source as never, now: () => clock });
  const send = (name: 'SIGINT' | 'SIGTERM', afterMs = 0) => {
    clock += afterMs;
    source.emit(name);
  };
  return { exits, source, interruption, send };
}

it('takes the signal that npm passes on for the Ctrl-C that the terminal sent already', () => {
  const { exits, interruption, send } = setup();

  send('SIGINT');
  send('SIGINT', 20);
  send('SIGTERM', 400);

  expect(interruption.signal.aborted).toBe(true);
  expect(exits).toEqual([]);
});

it('ends the process when somebody insists', () => {
  const { exits, send } = setup();

  send('SIGINT');
  send('SIGINT', 1_500);

  expect(exits).toEqual([130]);
});

it('forgets', () => {
  const { source, interruption } = setup();

  interruption.forget();

  expect(source.eventNames()).toEqual([]);
});
