import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../domain/hash.ts';
import { type Json, jsonEqual } from '../../domain/json.ts';

describe('jsonEqual', () => {
  it.each<[Json, Json, boolean]>([
    [{ a: 1, b: [2] }, { b: [2.0], a: 1 }, true],
    [0, -0, true],
    [[1, 2], [2, 1], false],
    [[], {}, false],
    [{ a: null }, {}, false],
    [{ a: 1 }, { b: 1 }, false],
    ['1', 1, false],
    [null, {}, false],
    [{ constructor: 1 }, { a: 1 }, false],
  ])('%j and %j: %s', (left, right, equal) => {
    expect(jsonEqual(left, right)).toBe(equal);
    expect(jsonEqual(right, left)).toBe(equal);
  });
});

describe('canonicalJson', () => {
  it('writes equal values alike', () => {
    expect(canonicalJson({ b: [1.0, { d: null, c: 'é' }], a: true })).toBe(
      '{"a":true,"b":[1,{"c":"é","d":null}]}',
    );
  });

  it('refuses what is not JSON', () => {
    expect(() => canonicalJson(undefined)).toThrow(TypeError);
    expect(() => canonicalJson(Number.NaN)).toThrow();
  });
});
