import { isJsonObject, type Json, type JsonObject } from '../json.ts';
import { textOf } from './loose.ts';

/** A span or a log record, its attributes read; what they share is what GenAI content is found by. */
export interface OtlpItem {
  readonly kind: 'span' | 'log';
  /** `<trace>-<span>`; null where either is missing. */
  readonly spanKey: string | null;
  readonly traceId: string | null;
  /** The name of a span, or of the event that a log record is. */
  readonly name: string | null;
  /** Milliseconds since 1970, or null. */
  readonly start: number | null;
  readonly end: number | null;
  readonly attributes: JsonObject;
  /** What an event says, beside its attributes. */
  readonly body: Json;
  readonly events: readonly OtlpEvent[];
  readonly error: string | null;
}

export interface OtlpEvent {
  readonly name: string;
  readonly attributes: JsonObject;
  readonly body: Json;
}

/**
 * Spans and log records of one OTLP JSON message (`resourceSpans`, `resourceLogs`), as the collector's file
 * exporter writes one per line: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding. null where the
 * value is neither.
 */
export function readOtlp(value: unknown): OtlpItem[] | null {
  if (!isJsonObject(value)) return null;
  const { resourceSpans, resourceLogs } = value;
  if (!Array.isArray(resourceSpans) && !Array.isArray(resourceLogs)) return null;
  return [
    ...nested(resourceSpans, 'scopeSpans', 'spans').map(toSpan),
    ...nested(resourceLogs, 'scopeLogs', 'logRecords').map(toLog),
  ];
}

function nested(resources: unknown, scopes: string, items: string): JsonObject[] {
  return objects(resources).flatMap((resource) =>
    objects(resource[scopes]).flatMap((scope) => objects(scope[items])),
  );
}

function toSpan(span: JsonObject): OtlpItem {
  const status = isJsonObject(span.status) ? span.status : {};
  const attributes = readAttributes(span.attributes);
  const failed = status.code === 2 || status.code === 'STATUS_CODE_ERROR';
  return {
    kind: 'span',
    ...identify(span),
    name: textOf(span.name),
    start: toMilliseconds(span.startTimeUnixNano),
    end: toMilliseconds(span.endTimeUnixNano),
    attributes,
    body: null,
    events: objects(span.events).flatMap(toEvent),
    error: failed
      ? (textOf(status.message) ?? textOf(attributes['error.type']) ?? 'The span ended in an error.')
      : null,
  };
}

function toEvent(event: JsonObject): OtlpEvent[] {
  const name = textOf(event.name);
  return name === null ? [] : [{ name, attributes: readAttributes(event.attributes), body: null }];
}

function toLog(log: JsonObject): OtlpItem {
  const attributes = readAttributes(log.attributes);
  const time = toMilliseconds(log.timeUnixNano) ?? toMilliseconds(log.observedTimeUnixNano);
  return {
    kind: 'log',
    ...identify(log),
    name: textOf(log.eventName) ?? textOf(attributes['event.name']),
    start: time,
    end: null,
    attributes,
    body: readValue(log.body),
    events: [],
    error: null,
  };
}

function identify({ traceId, spanId }: JsonObject): Pick<OtlpItem, 'spanKey' | 'traceId'> {
  const [trace, span] = [textOf(traceId), textOf(spanId)];
  return { traceId: trace, spanKey: trace !== null && span !== null ? `${trace}-${span}` : null };
}

function readAttributes(value: unknown): JsonObject {
  const pairs = objects(value).map((pair): [string, Json] => [textOf(pair.key) ?? '', readValue(pair.value)]);
  return Object.fromEntries(pairs.filter(([key]) => key !== ''));
}

/** `AnyValue`: 64-bit numbers are text in OTLP's JSON. */
function readValue(value: unknown): Json {
  if (!isJsonObject(value)) return null;
  if (typeof value.stringValue === 'string') return value.stringValue;
  if (typeof value.boolValue === 'boolean') return value.boolValue;
  const number = value.intValue ?? value.doubleValue;
  if (typeof number === 'number' || typeof number === 'string') {
    return Number.isFinite(Number(number)) ? Number(number) : null;
  }
  if (isJsonObject(value.arrayValue)) return objects(value.arrayValue.values).map(readValue);
  return isJsonObject(value.kvlistValue) ? readAttributes(value.kvlistValue.values) : null;
}

function toMilliseconds(nanoseconds: unknown): number | null {
  const text = typeof nanoseconds === 'number' ? String(nanoseconds) : nanoseconds;
  if (typeof text !== 'string' || !/^\d{1,20}$/.test(text) || Number(text) === 0) return null;
  return Number(BigInt(text) / 1_000_000n);
}

function objects(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}
