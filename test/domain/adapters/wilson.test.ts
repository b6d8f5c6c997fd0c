import { expect, test } from 'vitest';
import { wilsonInterval } from '../../../domain/adapters/wilson.ts';

/** Newcombe, Statistics in Medicine 17 (1998) 857–872, table I, method 3: four decimals. */
test.each([
  [81, 263, 0.2553, 0.3662],
  [15, 148, 0.0624, 0.1605],
  [0, 20, 0, 0.1611],
  [1, 29, 0.0061, 0.1718],
])('%i of %i has the published interval', (successes, n, low, high) => {
  const [lower, upper] = wilsonInterval(successes, n) ?? [];

  expect(lower).toBeCloseTo(low, 4);
  expect(upper).toBeCloseTo(high, 4);
});

test('is the same from either side, and there is none of nothing', () => {
  const [low = 0, high = 0] = wilsonInterval(3, 10) ?? [];
  const [otherLow = 0, otherHigh = 0] = wilsonInterval(7, 10) ?? [];

  expect(low).toBeCloseTo(1 - otherHigh, 12);
  expect(high).toBeCloseTo(1 - otherLow, 12);
  expect(wilsonInterval(0, 0)).toBeNull();
});
