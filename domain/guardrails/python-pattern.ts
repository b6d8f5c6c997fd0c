/** What RE2 takes and Python's `re` does not, or takes for something else. */
const foreign: readonly (readonly [RegExp, string])[] = [
  [/\\[pP]/, String.raw`\p{…}`],
  [/\\z/, String.raw`\z (write $)`],
  [/\\[QEC]/, String.raw`\Q…\E or \C`],
  [/\\x\{/, String.raw`\x{…} (write the character)`],
  [/\[\[:|\[:\^?[a-z]+:\]/, '[[:…:]]'],
  [/\(\?<[A-Za-z_]/, '(?<name>…) (write (?P<name>…))'],
  [/\(\?[a-zA-Z]*U/, 'the flag U'],
  [/\(\?[a-zA-Z]*-[a-zA-Z]*\)/, 'flags taken off such as (?-i) (write (?-i:…))'],
  [/\{,\d/, '{,n} (write {0,n})'],
  [/(?!^)\(\?[a-z]+\)/, 'flags such as (?i) behind the beginning (write (?i:…))'],
  [/&&|--|~~|\|\|(?=[^[]*\])/, '&&, -- or ~~'],
];

/**
 * Why a pattern of ours cannot be given to a provider that matches by Python's `re`, or null.
 * What is left means the same, but for `\d`, `\w`, `\s` and `\b`, which are about ASCII here and about all of
 * Unicode there, and `$`, which there also matches before a last line break.
 */
export function pythonProblem(pattern: string): string | null {
  // An escaped backslash begins nothing.
  const plain = pattern.replaceAll('\\\\', '__');
  const found = foreign.find(([construct]) => construct.test(plain));
  return found
    ? `has ${found[1]}, which Python, by which that provider checks, does not read as RE2 does`
    : null;
}
