import { relative } from 'node:path';

/** A path as people type it: from the current folder on, where it lies below. */
export function shortPath(path: string): string {
  const short = relative(process.cwd(), path);
  return short.startsWith('..') ? path : short;
}
