import { describe, expect, test } from 'vitest';
import { newToken } from '../../../domain/access/token.ts';
import { readTokensFile, tokensFileText } from '../../../domain/access/tokens-file.schema.ts';

function aToken(fields: Partial<Parameters<typeof newToken>[1]> = {}) {
  return newToken(
    { id: 'abc', secret: 's3cret' },
    {
      client: 'web',
      roles: ['ingest'],
      createdAt: '2026-01-31T09:00:00.000Z',
      expiresAt: null,
      requestsPerMinute: null,
      ...fields,
    },
  );
}

describe('the tokens file', () => {
  test('comes back as it was written, without the token itself', () => {
    const { text, token } = aToken({ expiresAt: '2026-03-01T00:00:00.000Z', requestsPerMinute: 60 });

    const written = tokensFileText([token, aToken().token]);

    expect(readTokensFile(written)).toEqual({ tokens: [token, aToken().token], problems: [] });
    expect(written).not.toContain('s3cret');
    expect(text).toBe('fw_abc_s3cret');
  });

  test.each([
    ['no JSON', 'nope', /file: /],
    ['an unknown role', { roles: ['admin'] }, /tokens\.0\.roles\.0: /],
    ['a token in clear', { sha256: 'fw_abc_s3cret' }, /sha256: must be the sha256 of a token/],
    ['a word too many', { role: 'ingest' }, /role/],
    [
      'any client that approves',
      { client: '*', roles: ['approve'] },
      /client \* may only have the role ingest/,
    ],
  ])('%s is a problem with its place', (_, flaw, problem) => {
    const { tokens } = JSON.parse(tokensFileText([aToken().token])) as { tokens: object[] };
    const text = typeof flaw === 'string' ? flaw : JSON.stringify({ tokens: [{ ...tokens[0], ...flaw }] });

    expect(readTokensFile(text).problems.join()).toMatch(problem);
  });
});
