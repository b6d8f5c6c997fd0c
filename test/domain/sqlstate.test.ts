import { expect, test } from 'vitest';
import { troubleOf } from '../../domain/sqlstate.ts';

test.each([
  ['08006', 'passing'],
  ['40001', 'passing'],
  ['53300', 'passing'],
  ['57P01', 'passing'],
  ['ECONNREFUSED', 'passing'],
  ['EAI_AGAIN', 'passing'],
  ['CONNECT_TIMEOUT', 'passing'],
  ['28P01', 'setup'],
  ['3D000', 'setup'],
  ['3F000', 'setup'],
  ['42P01', 'setup'],
  ['42703', null],
  ['22001', null],
  ['23505', null],
  ['25006', null],
  ['42501', null],
  ['', null],
])('%s means %s', (code, trouble) => {
  expect(troubleOf(code)).toBe(trouble);
});
