import { describe, expect, it } from 'vitest';
import { toLogStoreError } from '../../../integrations/postgres-logs/errors.ts';

function told(code: string): Error {
  return toLogStoreError(Object.assign(new Error('no'), { code }));
}

describe('an error of PostgreSQL', () => {
  it.each(['22P02', '22P05', '22007', '23502', '23514', '54000', '54001'])(
    '%s is the record’s own fault',
    (code) => {
      expect(told(code)).toMatchObject({ name: 'RejectedError', code });
    },
  );

  it.each(['25006', '42501', '42703', '0A000', 'XX000', 'P0001'])('%s waits for a person', (code) => {
    expect(told(code)).toMatchObject({ name: 'UnavailableError', kind: 'failing' });
  });

  it.each(['08006', '53300', '57P03', 'ECONNREFUSED'])('%s passes', (code) => {
    expect(told(code)).toMatchObject({ name: 'UnavailableError', kind: 'unreachable' });
  });

  it.each(['28P01', '3D000', '42P01'])('%s is a setting', (code) => {
    expect(told(code)).toMatchObject({ name: 'InvalidInputError' });
  });
});
