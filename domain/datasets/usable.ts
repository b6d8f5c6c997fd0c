import type { StoredRecord } from '../records/record.ts';
import type { Example } from './dataset.ts';
import type { ExampleKeys } from './keys.ts';

/** An example with what curation needs to know of its record beside it. */
export interface Usable extends ExampleKeys {
  readonly example: Example;
  readonly record: Pick<StoredRecord, 'id' | 'timestamp' | 'responseSource'>;
}

/** A record that a dataset leaves out, and why. */
export interface DroppedRecord {
  readonly recordId: string;
  readonly reason: string;
  /** The feedback that it was left out for. */
  readonly feedbackId?: string;
}
