import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { shellWord } from '../../domain/shell-word.ts';

test.each([
  'hr',
  'eu/support:v2@web',
  '',
  'my home',
  "it's",
  '$(echo boom)',
  '`echo boom`',
  'a;b|c&d>e',
  '"quoted" \\ back',
  '~',
  '!!',
  'a\nb',
])('a shell reads %j as that one word', (text) => {
  const read = execFileSync('sh', ['-c', `printf '%s' ${shellWord(text)}`], { encoding: 'utf8' });

  expect(read).toBe(text);
});

test('what needs no quotes has none', () => {
  expect(shellWord('run-20260131t093000z-1a2b3c')).toBe('run-20260131t093000z-1a2b3c');
});
