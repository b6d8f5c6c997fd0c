import { expect, test } from 'vitest';
import { licenceOf } from '../../../domain/adapters/licence.ts';
import { licenceNotice } from '../../../domain/adapters/licence-notice.ts';

test.each([
  ['---\nlicense: apache-2.0\nlanguage: en\n---\n# x', { id: 'apache-2.0', name: null, link: null }],
  [
    '---\r\nlicense: \'other\'\r\nlicense_name: "llama3.2"\r\nlicense_link: https://x.example/L\r\n---\r\n',
    { id: 'other', name: 'llama3.2', link: 'https://x.example/L' },
  ],
  ['---\ntags: [a]\n---\nlicense: mit', { id: null, name: null, link: null }],
  ['# a card without front matter', { id: null, name: null, link: null }],
  [null, { id: null, name: null, link: null }],
])('is read off the card’s front matter alone: %j', (card, licence) => {
  expect(licenceOf(card)).toEqual(licence);
});

test('a base without a licence file leaves what is known, and where to look', () => {
  const none = { id: null, name: null, link: null };
  const named = { id: 'other', name: 'llama3.2', link: 'https://x.example/L' };

  expect(licenceNotice({ reference: 'acme/x', onHub: true, licence: none })).toMatch(
    /not known here[^]*https:\/\/huggingface\.co\/acme\/x/,
  );
  expect(licenceNotice({ reference: 'x', onHub: false, licence: none })).toContain('got from');
  expect(licenceNotice({ reference: 'x', onHub: true, licence: named })).toMatch(
    /llama3\.2; the text[^]*https:\/\/x\.example\/L/,
  );
});
