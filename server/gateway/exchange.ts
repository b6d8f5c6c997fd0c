import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { GuardrailVerdict } from '../../domain/guardrails/guardrails.ts';
import type { JsonObject } from '../../domain/json.ts';
import { parseRecord } from '../../domain/records/parse.ts';
import type { Journal } from '../journal/journal.ts';
import type { Log } from '../log.ts';
import type { GatewayCall } from './call.ts';
import type { CallCounts } from './counts.ts';
import type { Target } from './target.ts';

export interface ExchangeOptions {
  readonly journal: Pick<Journal, 'append'>;
  readonly counts: CallCounts;
  readonly log: Log;
}

/** What came of a call. */
export interface Answer {
  readonly status: number;
  /** The completion; null where there is none that could be read. */
  readonly response: JsonObject | null;
  /** Of a stream: when its first piece came, in ms after the call was sent. */
  readonly firstChunkMs?: number;
  /** What kept the model's own answer from the caller; `response` is what the caller got instead. */
  readonly blocked?: Pick<GuardrailVerdict, 'rule' | 'detail'>;
}

/** One call on its way: who asked what of whom, since when; and its record. */
export class Exchange {
  readonly call: GatewayCall;
  readonly target: Target;
  readonly #options: ExchangeOptions;
  readonly #startedAt = new Date();
  readonly #startedMs = performance.now();
  /** Random: an application may well ask the same thing twice in a millisecond, and a record is made once. */
  readonly recordId = `rec_${randomUUID().replaceAll('-', '')}`;

  constructor(call: GatewayCall, target: Target, options: ExchangeOptions) {
    this.call = call;
    this.target = target;
    this.#options = options;
  }

  get elapsedMs(): number {
    return Math.round(performance.now() - this.#startedMs);
  }

  /** Whether an answer to this call becomes a record. */
  get isLogged(): boolean {
    return this.call.workloadId !== null && this.call.logged;
  }

  /** Records an answered call; returns the record's id, or null when there is none. */
  keep(answer: Answer): string | null {
    const recordId = this.#record(answer);
    this.note(answer.blocked ? 'answer_blocked' : 'call', answer.status, recordId, answer.blocked);
    return recordId;
  }

  note(event: string, status: number, recordId: string | null = null, more: object = {}): void {
    this.#options.log.info(event, {
      workload: this.call.workloadId,
      client: this.call.clientId,
      route: this.target.routeVersion,
      model: this.target.model,
      status,
      latencyMs: this.elapsedMs,
      record: recordId,
      ...more,
    });
  }

  #record(answer: Answer): string | null {
    const { journal, counts, log } = this.#options;
    if (!this.isLogged) {
      counts.unlogged += 1;
      return null;
    }
    const parsed = answer.response === null ? unreadable : parseRecord(this.#wire(answer.response, answer));
    if (!parsed.ok) {
      counts.unusable += 1;
      log.warn('unusable_record', { reason: parsed.reason, detail: parsed.detail });
      return null;
    }
    return journal.append(parsed.record) ? parsed.record.id : null;
  }

  #wire(response: JsonObject, { firstChunkMs, blocked }: Answer): JsonObject {
    const { call, target } = this;
    return {
      id: this.recordId,
      timestamp: this.#startedAt.toISOString(),
      workload_id: call.workloadId,
      client_id: call.clientId,
      ...(call.conversationId !== null && { conversation_id: call.conversationId }),
      request: call.body,
      response,
      response_source: target.responseSource,
      latency_ms: this.elapsedMs,
      ...(firstChunkMs !== undefined && { first_chunk_ms: firstChunkMs }),
      route_version: target.routeVersion,
      ...(blocked !== undefined && { blocked_by: blocked.rule ?? 'unnamed' }),
    };
  }
}

const unreadable = { ok: false, reason: 'invalid_response', detail: 'The reply cannot be read.' } as const;
