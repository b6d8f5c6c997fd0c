/** Which record belongs to a completion, by the completion's own id. */
export interface RecordIds {
  get(completionId: string): string | null;
  set(completionId: string, recordId: string): void;
}

/** Feedback comes soon, or through a record id that the application kept. */
const limit = 10_000;

/** Remembers the newest. Where a model server uses an id twice, the later completion has it. */
export function createRecordIds(): RecordIds {
  const ids = new Map<string, string>();
  return {
    get: (completionId) => ids.get(completionId) ?? null,
    set(completionId, recordId) {
      ids.delete(completionId);
      ids.set(completionId, recordId);
      for (const oldest of ids.keys()) {
        if (ids.size <= limit) break;
        ids.delete(oldest);
      }
    },
  };
}
