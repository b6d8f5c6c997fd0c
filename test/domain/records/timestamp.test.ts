import { describe, expect, it } from 'vitest';
import { readTimestamp } from '../../../domain/records/timestamp.ts';

describe('readTimestamp', () => {
  it.each([
    ['ISO with a zone', '2026-03-01T14:30:00+02:00', '2026-03-01T12:30:00.000Z'],
    ['ISO with a zone without colon', '2026-03-01T14:30:00-0130', '2026-03-01T16:00:00.000Z'],
    ['ISO without a zone as UTC', '2026-03-01T14:30:00', '2026-03-01T14:30:00.000Z'],
    ['ISO with a space', '2026-03-01 14:30', '2026-03-01T14:30:00.000Z'],
    ['more digits than milliseconds', '2026-03-01T14:30:00.123456Z', '2026-03-01T14:30:00.123Z'],
    ['a day', '2026-03-01', '2026-03-01T00:00:00.000Z'],
    ['seconds', 1_772_375_400, '2026-03-01T14:30:00.000Z'],
    ['seconds with a fraction', 1_772_375_400.25, '2026-03-01T14:30:00.250Z'],
    ['milliseconds', 1_772_375_400_000, '2026-03-01T14:30:00.000Z'],
    ['seconds as text', '1772375400', '2026-03-01T14:30:00.000Z'],
    ['milliseconds as text', '1772375400000', '2026-03-01T14:30:00.000Z'],
  ])('reads %s', (_, given, expected) => {
    expect(readTimestamp(given)).toBe(expected);
  });

  it.each([
    ['a year before 2015', '2014-12-31T23:59:59Z'],
    ['a year after 2100', '2101-01-01T00:00:00Z'],
    ['zero', 0],
    ['microseconds', 1_772_375_400_000_000],
    ['a day that does not exist', '2026-02-30'],
    ['an hour that does not exist', '2026-02-03T25:00:00Z'],
    ['a month that does not exist', '2026-13-01'],
    ['prose', 'yesterday'],
    ['nothing', ''],
    ['null', null],
    ['NaN', Number.NaN],
    ['infinity', Number.POSITIVE_INFINITY],
    ['a negative number', -1_772_375_400],
    ['an object', {}],
  ])('refuses %s', (_, given) => {
    expect(readTimestamp(given)).toBeNull();
  });
});
