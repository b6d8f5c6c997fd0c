import type { Config } from '../config/config.ts';
import { parseFeedback } from '../domain/feedback/parse.ts';
import type { JsonObject } from '../domain/json.ts';
import { parseRecord } from '../domain/records/parse.ts';
import { openLineage } from './open-lineage.ts';
import { openLogStore } from './open-log-store.ts';
import { openRedaction, redacting } from './open-redaction.ts';

/** Counts of a batch; the shape is the SDK's `InsertResult`. */
interface Inserted {
  readonly stored: number;
  readonly duplicates: number;
  readonly rejected: Readonly<Record<string, number>>;
}

export interface OpenRecordStore {
  insert(records: readonly object[]): Promise<Inserted>;
  insertFeedback(feedback: readonly object[]): Promise<Inserted>;
  close(): Promise<void>;
}

/**
 * Straight to the log store, for an application that runs beside it and has no gateway: give it to the SDK as its
 * `store`. Records on the wire pass the same door as everywhere, redaction included.
 */
export function openRecordStore(
  config: Pick<Config, 'database' | 'logStore' | 'policiesFile'>,
): OpenRecordStore {
  const logStore = openLogStore(config);
  const redacted = redacting(logStore, openRedaction(config));
  const lineage = openLineage(config);
  return {
    async insert(records) {
      const { usable, rejected } = sort(records, (value) => {
        const parsed = parseRecord(value);
        return parsed.ok ? { ok: true, item: parsed.record } : parsed;
      });
      return { ...(await redacted.append(usable)), rejected };
    },
    async insertFeedback(feedback) {
      const { usable, rejected } = sort(feedback, (value) => {
        const parsed = parseFeedback(value);
        return parsed.ok ? { ok: true, item: parsed.feedback } : parsed;
      });
      const results = await lineage.feedback.add(usable);
      const n = (result: string) => results.filter((each) => each === result).length;
      const conflicts = n('conflict');
      return {
        ...{ stored: n('stored'), duplicates: n('duplicate') },
        rejected: { ...rejected, ...(conflicts > 0 && { conflict: conflicts }) },
      };
    },
    async close() {
      await Promise.all([logStore.close(), lineage.close()]);
    },
  };
}

type Parsed<T> = { readonly ok: true; readonly item: T } | { readonly ok: false; readonly reason: string };

function sort<T>(values: readonly object[], parse: (value: JsonObject) => Parsed<T>) {
  const parsed = values.map((value) => parse(value as JsonObject));
  const rejected: Record<string, number> = {};
  for (const each of parsed) if (!each.ok) rejected[each.reason] = (rejected[each.reason] ?? 0) + 1;
  return { usable: parsed.flatMap((each) => (each.ok ? [each.item] : [])), rejected };
}
