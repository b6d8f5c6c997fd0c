import { AsyncLocalStorage } from 'node:async_hooks';
import type OpenAI from 'openai';
import type { JsonObject } from '../domain/json.ts';
import type { Feedback } from './feedback.ts';
import { createGatewayStore, type GatewayOptions } from './gateway-store.ts';
import { type Fetch, observeFetch } from './observe-fetch.ts';
import { Pipeline, type Stats } from './pipeline.ts';
import type { FlywheelRecord, RecordStore } from './record.ts';
import { type CallContext, Recorder } from './recorder.ts';

export type { Feedback, FeedbackContent, FeedbackSubject } from './feedback.ts';
export { createGatewayStore, type GatewayOptions } from './gateway-store.ts';
export type { LossReason } from './losses.ts';
export type { Stats } from './pipeline.ts';
export { type FlywheelRecord, type InsertResult, type RecordStore, StoreError } from './record.ts';

export interface FlywheelOptions extends CallContext {
  /** Where records go: a gateway (default: `http://127.0.0.1:8080`), or a store of your own. */
  readonly gateway?: GatewayOptions;
  readonly store?: RecordStore;
  /** Changes a record before it leaves the process (to leave out what must not), or keeps it back by null. */
  readonly beforeSend?: (record: FlywheelRecord) => FlywheelRecord | null;
  /** The buffer, while nothing can be sent: records and bytes. */
  readonly maxBuffered?: number;
  readonly maxBufferedBytes?: number;
  /** A larger call is not logged. */
  readonly maxRecordBytes?: number;
  /** The longest that a record waits for others to travel with. */
  readonly flushEveryMs?: number;
  /** The longest that the end of the process waits for what is not sent yet. */
  readonly exitFlushMs?: number;
  /** Told at most once a minute for each reason; default: `console.warn`. */
  readonly onLoss?: (message: string) => void;
}

/** What a wrapped client has besides its own. */
export interface FlywheelHandle<Client> {
  /** The same client for another workload, client or conversation; it shares buffer and counts. */
  with(context: Partial<CallContext>): Logged<Client>;
  /** All calls that `work` makes, however deep, belong to this conversation. */
  conversation<T>(conversationId: string, work: () => T): T;
  /** Keeps feedback to be sent; false where it cannot. */
  feedback(feedback: Feedback): boolean;
  /** The record of a completion that this process made, to be kept for later feedback. */
  recordIdOf(completion: { readonly id: string }): string | null;
  /** Sends what waits; false when `limitMs` (default: `exitFlushMs`) was not enough. */
  flush(limitMs?: number): Promise<boolean>;
  /** Flushes and ends; what is logged afterwards is lost. For tests, and for clients made per request. */
  close(limitMs?: number): Promise<boolean>;
  stats(): Stats;
}

export type Logged<Client> = Client & { readonly flywheel: FlywheelHandle<Client> };

const defaults = {
  gateway: { url: 'http://127.0.0.1:8080' },
  maxBuffered: 1_000,
  maxBufferedBytes: 32 * 1024 * 1024,
  maxRecordBytes: 8 * 1024 * 1024,
  flushEveryMs: 1_000,
  exitFlushMs: 2_000,
};
/** Well below the gateway's 1,000 records and 32 MiB of a request. */
const batch = { batchItems: 100, batchBytes: 4 * 1024 * 1024 };

/**
 * The same client, whose chat completions are logged: streamed ones put together, with latency, usage and
 * conversation. Nothing of it reaches the application: no error, no waiting; what could not be logged is counted.
 */
export function flywheel<Client extends OpenAI>(client: Client, options: FlywheelOptions): Logged<Client> {
  const settings = { ...defaults, ...options };
  const pipeline = new Pipeline({
    store: options.store ?? createGatewayStore(settings.gateway),
    limits: {
      ...batch,
      maxItems: settings.maxBuffered,
      maxBytes: settings.maxBufferedBytes,
      flushEveryMs: settings.flushEveryMs,
    },
    exitFlushMs: settings.exitFlushMs,
    beforeSend: options.beforeSend ?? ((record) => record),
    onLoss: options.onLoss ?? ((message) => console.warn(message)),
  });
  return wrap({ client, settings, pipeline, conversations: new AsyncLocalStorage() });
}

interface Wrapping<Client> {
  readonly client: Client;
  readonly settings: FlywheelOptions & typeof defaults;
  readonly pipeline: Pipeline;
  readonly conversations: AsyncLocalStorage<string>;
}

function wrap<Client extends OpenAI>(wrapping: Wrapping<Client>): Logged<Client> {
  const { client, settings, pipeline, conversations } = wrapping;
  const recorder = new Recorder({
    context: () => contextOf(settings, conversations.getStore()),
    maxBytes: settings.maxRecordBytes,
    push: (record, bytes) => pipeline.push(record, bytes),
    recordIds: pipeline.recordIds,
    losses: pipeline.losses,
  });
  // The client's own, which it keeps from its users but hands to its copies: a proxy or a test's.
  const { fetch } = client as unknown as { readonly fetch?: Fetch };
  const logged = client.withOptions({ fetch: observeFetch(fetch ?? globalThis.fetch, recorder) });
  const handle: FlywheelHandle<Client> = {
    with: (context) => wrap({ ...wrapping, settings: { ...settings, ...context } }),
    conversation: (conversationId, work) => conversations.run(conversationId, work),
    feedback: (feedback) => pipeline.give(feedback, settings),
    recordIdOf: ({ id }) => pipeline.recordIds.get(id),
    flush: (limitMs = settings.exitFlushMs) => pipeline.flush(limitMs),
    close: (limitMs = settings.exitFlushMs) => pipeline.close(limitMs),
    stats: () => pipeline.stats(),
  };
  return Object.assign(logged, { flywheel: handle });
}

/** The nearest word on the conversation wins. */
function contextOf(
  { workloadId, clientId, conversationId, fields }: CallContext,
  current?: string,
): CallContext {
  const conversation = current ?? conversationId;
  return {
    ...{ workloadId, clientId },
    ...(conversation !== undefined && { conversationId: conversation }),
    ...(fields !== undefined && { fields: fields satisfies JsonObject }),
  };
}
