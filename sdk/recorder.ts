import { randomUUID } from 'node:crypto';
import type { JsonObject } from '../domain/json.ts';
import type { Losses } from './losses.ts';
import type { ObservedBody } from './observe-body.ts';
import { firstId, idOf, parseObject, type ReadAnswer, readStream, readWhole } from './read-answer.ts';
import type { FlywheelRecord } from './record.ts';
import type { RecordIds } from './record-ids.ts';

/** In an answer: under which id the call is logged. The gateway sets it too. */
export const recordIdHeader = 'x-flywheel-record-id';

/** What the application says about a call that the call does not. */
export interface CallContext {
  readonly workloadId: string;
  readonly clientId: string;
  readonly conversationId?: string;
  /** Further fields of the record. */
  readonly fields?: JsonObject;
}

/** A call that has ended, as it went over the wire. Made a record later, off the application's path. */
export interface SeenCall extends ObservedBody {
  readonly request: string;
  readonly startedAt: Date;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly streamed: boolean;
  /** The gateway answered, and logs the call itself. */
  readonly isGateways: boolean;
}

export type PendingRecord = () => FlywheelRecord | null;

export interface RecorderOptions {
  readonly context: () => CallContext;
  readonly maxBytes: number;
  readonly push: (record: PendingRecord, bytes: number) => void;
  readonly recordIds: RecordIds;
  readonly losses: Losses;
}

/** Turns calls into records to send. */
export class Recorder {
  readonly #options: RecorderOptions;

  constructor(options: RecorderOptions) {
    this.#options = options;
  }

  get maxBytes(): number {
    return this.#options.maxBytes;
  }

  failed(error: unknown): void {
    this.#options.losses.add('failed', 1, error instanceof Error ? error.message : String(error));
  }

  /** A call that is being answered: the id that its record will have, and what to do at its end. */
  begin(gatewaysId: string | null): { recordId: string; finish: (call: SeenCall) => void } {
    const recordId = gatewaysId ?? `rec_${randomUUID().replaceAll('-', '')}`;
    const context = this.#options.context();
    return { recordId, finish: (call) => this.#finish(recordId, context, call) };
  }

  #finish(recordId: string, context: CallContext, call: SeenCall): void {
    const { losses, maxBytes, recordIds, push } = this.#options;
    const text = Buffer.concat(call.chunks).toString();
    const bytes = Buffer.byteLength(call.request) + Buffer.byteLength(text);
    if (call.tooLarge || bytes > maxBytes)
      return losses.add('too_large', 1, `a call of more than ${maxBytes} bytes (maxRecordBytes).`);
    // At once, since feedback may follow at once; the rest has time.
    const id = call.streamed ? firstId(text) : idOf(parseObject(text));
    if (id !== null) recordIds.set(id, recordId);
    if (!call.isGateways) push(() => this.#toRecord(recordId, context, { ...call, chunks: [] }, text), bytes);
  }

  #toRecord(id: string, context: CallContext, call: SeenCall, text: string): FlywheelRecord | null {
    const request = parseObject(call.request);
    const answer: ReadAnswer = call.streamed ? readStream(text, call.end) : readWhole(text, call.end);
    if (request === null || !answer.ok) {
      const reason = answer.ok ? 'unreadable' : answer.reason;
      this.#options.losses.add(reason, 1, `the answer of ${call.startedAt.toISOString()}.`);
      return null;
    }
    const { workloadId, clientId, conversationId, fields } = context;
    const since = (ms: number) => Math.round(ms - call.startedAtMs);
    return {
      ...fields,
      id,
      timestamp: call.startedAt.toISOString(),
      workload_id: workloadId,
      client_id: clientId,
      ...(conversationId !== undefined && { conversation_id: conversationId }),
      request,
      response: answer.response,
      latency_ms: since(call.endedAtMs),
      ...(call.streamed && call.firstByteAtMs !== null && { first_byte_ms: since(call.firstByteAtMs) }),
    };
  }
}
