/**
 * A text as one word of a POSIX shell's command line, for commands that people paste: quoted only where it
 * has to be, so that the usual ones stay readable.
 */
export function shellWord(text: string): string {
  return /^[\w./:@+,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
