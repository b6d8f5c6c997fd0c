import { expect, it } from 'vitest';
import { isTimezone, parseTimeOfDay, parseWeekly } from '../../../domain/schedules/times.ts';

it.each([
  ['02:00', { hour: 2, minute: 0 }],
  ['23:59', { hour: 23, minute: 59 }],
  ['7:05', { hour: 7, minute: 5 }],
  ['24:00', null],
  ['02:60', null],
  ['2', null],
  ['', null],
])('reads the time of day %s', (text, expected) => {
  expect(parseTimeOfDay(text)).toEqual(expected);
});

it.each([
  ['sun 03:00', { weekday: 'sun', hour: 3, minute: 0 }],
  [' Wed  23:15 ', { weekday: 'wed', hour: 23, minute: 15 }],
  ['sunday 03:00', null],
  ['sun', null],
  ['03:00', null],
  ['sun 03:00 utc', null],
])('reads the weekly time %s', (text, expected) => {
  expect(parseWeekly(text)).toEqual(expected);
});

it('knows time zones by their IANA name', () => {
  expect(['UTC', 'Europe/Berlin', 'Europe/Berln', 'CET+1'].map(isTimezone)).toEqual([
    true,
    true,
    false,
    false,
  ]);
});
