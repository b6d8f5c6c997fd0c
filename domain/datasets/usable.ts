import type { StoredRecord } from '../records/record.ts';
import type { Example } from './dataset.ts';

/** An example with what curation needs to know of its record beside it. */
export interface Usable {
  readonly example: Example;
  readonly record: Pick<StoredRecord, 'id' | 'timestamp' | 'responseSource'>;
  /** Equal for equal whole requests: system, tools, every message. */
  readonly requestKey: string;
  /** Equal for equal answers. */
  readonly answerKey: string;
  /** Equal for requests that begin alike: turns of one exchange, and near-identical questions. */
  readonly openingKey: string;
}

/** A record that a dataset leaves out, and why. */
export interface DroppedRecord {
  readonly recordId: string;
  readonly reason: string;
}
