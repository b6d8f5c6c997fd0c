/** One slice's pages and how far they are read. */
interface Cursor<T> {
  readonly pages: AsyncIterator<readonly T[]>;
  page: readonly T[];
  /** The page behind, asked for before this one is used up. */
  next: Promise<IteratorResult<readonly T[]>>;
  position: number;
}

/**
 * Merges slices, each in ascending order of id (by its UTF-8 bytes), into batches in that order. Each slice
 * has one page in hand and one on its way, and no more: a slow reader slows the slices down.
 */
export async function* mergeById<T>(
  slices: readonly AsyncIterator<readonly T[]>[],
  idOf: (item: T) => string,
  batchSize: number,
): AsyncGenerator<readonly T[]> {
  const opened = await Promise.all(slices.map((pages) => open(pages)));
  let cursors = opened.filter((cursor) => cursor !== null);
  let batch: T[] = [];
  while (cursors.length > 0) {
    const first = cursors.reduce((least, other) => (compare(head(other), head(least)) < 0 ? other : least));
    batch.push(first.page[first.position] as T);
    first.position += 1;
    if (first.position === first.page.length && !(await turnPage(first)))
      cursors = cursors.filter((cursor) => cursor !== first);
    if (batch.length < batchSize) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;

  function head(cursor: Cursor<T>): string {
    return idOf(cursor.page[cursor.position] as T);
  }
}

async function open<T>(pages: AsyncIterator<readonly T[]>): Promise<Cursor<T> | null> {
  const cursor = { pages, page: [], next: pages.next(), position: 0 };
  return (await turnPage<T>(cursor)) ? cursor : null;
}

/** False when there is none. */
async function turnPage<T>(cursor: Cursor<T>): Promise<boolean> {
  const { done, value } = await cursor.next;
  if (done) return false;
  cursor.page = value;
  cursor.position = 0;
  cursor.next = cursor.pages.next();
  // Whoever stops reading never looks at it; whoever goes on gets the error above.
  cursor.next.catch(() => undefined);
  return true;
}

/** As Elasticsearch sorts keywords. Equal to JavaScript's order but for characters outside the basic plane. */
function compare(a: string, b: string): number {
  return /[\ud800-\udfff]/.test(a + b) ? Buffer.compare(Buffer.from(a), Buffer.from(b)) : a < b ? -1 : 1;
}
