/** Ids of records that were taken lately. */
export interface RecentIds {
  has(id: string): boolean;
  add(id: string): void;
}

/**
 * Far more than are on their way to a log store that answers. Beyond it, or after a restart, a record sent
 * twice is called accepted twice, and still stored once.
 */
const defaultLimit = 100_000;

/** Remembers the newest ids, in memory. */
export function createRecentIds(limit = defaultLimit): RecentIds {
  const ids = new Set<string>();
  return {
    has: (id) => ids.has(id),
    add(id) {
      ids.add(id);
      for (const oldest of ids) {
        if (ids.size <= limit) break;
        ids.delete(oldest);
      }
    },
  };
}
