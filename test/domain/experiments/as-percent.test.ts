import { describe, expect, it } from 'vitest';
import { asPercent } from '../../../domain/experiments/as-percent.ts';

describe('a share as a percentage', () => {
  it.each([
    [0, '0.0 %'],
    [1, '100.0 %'],
    [0.7499, '74.9 %'],
    [11 / 12, '91.6 %'],
    // 0.28999… in binary.
    [0.29, '29.0 %'],
    [0.999_96, '99.9 %'],
  ])('of %f is %s', (share, text) => {
    expect(asPercent(share)).toBe(text);
  });
});
