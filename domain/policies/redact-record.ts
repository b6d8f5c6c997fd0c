import { isJsonObject, type Json, type JsonObject } from '../json.ts';
import type { LogRecord } from '../records/record.ts';
import type { RedactionPolicy } from './policy.ts';
import { countsOf, type RedactText, redactJson, redactText, rulesOf } from './redact.ts';

/** What may be stored of a record. */
export type RecordRedactor = (record: LogRecord) => LogRecord;

/** What names or describes the call itself: the application's and the provider's own, and compared later. */
const structural = new Set([
  ...['role', 'id', 'type', 'name', 'object', 'model', 'tool_call_id', 'finish_reason', 'system_fingerprint'],
  ...['tools', 'functions', 'tool_choice', 'function_call', 'response_format'],
]);
/** Parts whose text is a file: to replace something in it would break it and find nothing. */
const binary = new Set([
  'image_url',
  'input_audio',
  'audio',
  'file',
  'file_data',
  'data',
  'image',
  'video_url',
]);

/**
 * The policy's redactor for records on their way in; null when there is nothing to do. What was said by user, model
 * and tools is redacted, wherever a provider puts it; names, ids, tool definitions and files stay as they came. A
 * record with a match says how many of each in `extra.redacted`. Done twice it changes nothing more.
 */
export function createRecordRedactor(policy: RedactionPolicy): RecordRedactor | null {
  const rules = rulesOf(policy);
  if (rules.length === 0) return null;
  return (record) => {
    const counts = new Map<string, number>();
    const text = (value: string) => redactText(value, rules, counts);
    const request = redactPayload(record.request, text) as JsonObject;
    const response = redactPayload(record.response, text) as JsonObject;
    if (counts.size === 0) return record;
    return { ...record, request, response, extra: { ...record.extra, redacted: countsOf(counts) } };
  };
}

function redactPayload(value: Json, text: RedactText): Json {
  if (typeof value === 'string') return text(value);
  if (Array.isArray(value)) return value.map((item) => redactPayload(item, text));
  if (!isJsonObject(value)) return value;
  const fields = Object.entries(value).map(([key, item]): [string, Json] => {
    // A forced `function_call` is a name; the one that was made has arguments.
    if (binary.has(key) || (structural.has(key) && !hasArguments(item))) return [key, item];
    return [
      key,
      key === 'arguments' && typeof item === 'string'
        ? redactArguments(item, text)
        : redactPayload(item, text),
    ];
  });
  return Object.fromEntries(fields);
}

function hasArguments(value: Json): boolean {
  return isJsonObject(value) && typeof value.arguments === 'string';
}

/** Arguments are JSON as text: they are still JSON afterwards. Untouched where nothing is found. */
function redactArguments(given: string, text: RedactText): string {
  let parsed: Json;
  try {
    parsed = JSON.parse(given) as Json;
  } catch {
    return text(given);
  }
  const redacted = JSON.stringify(redactJson(parsed, text));
  return redacted === JSON.stringify(parsed) ? given : redacted;
}
