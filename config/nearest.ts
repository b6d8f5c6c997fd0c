/** The known word that a misspelt one was probably meant to be, or null when none is near. */
export function nearest(word: string, known: readonly string[]): string | null {
  // A third of the letters may be wrong; beyond that a suggestion only confuses.
  const limit = Math.max(2, Math.floor(word.length / 3));
  const ranked = known
    .map((candidate) => ({ candidate, distance: editDistance(word.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best !== undefined && best.distance <= limit ? best.candidate : null;
}

/** `"x" is not known; did you mean "y"?`, or the list of what is known. */
export function unknownWord(what: string, word: string, known: readonly string[]): string {
  const suggestion = nearest(word, known);
  return suggestion === null
    ? `unknown ${what} "${word}"; known are: ${known.join(', ')}`
    : `unknown ${what} "${word}"; did you mean "${suggestion}"?`;
}

/** Levenshtein distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, letter] of Array.from(a).entries()) {
    const next = [i + 1];
    for (const [j, other] of Array.from(b).entries()) {
      const substituted = (row[j] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(substituted, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? a.length;
}
