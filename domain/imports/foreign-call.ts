import type { JsonObject } from '../json.ts';
import { parseRecord } from '../records/parse.ts';
import { readTimestamp } from '../records/timestamp.ts';
import { toAnswer } from './foreign-answer.ts';
import { toMessages } from './foreign-messages.ts';
import { toTools } from './foreign-tools.ts';
import type { ImportedRow, ImportOptions } from './importer.ts';

/** A model call as a tracing system logged it, before its messages are read. */
export interface ForeignCall {
  readonly line: number;
  /** Which system it comes from, and its own name for the call; kept beside the record. */
  readonly source: JsonObject;
  readonly id: string | null;
  /** Any form that a record's timestamp may have. */
  readonly timestamp: unknown;
  readonly endTimestamp?: unknown;
  readonly conversationId: string | null;
  readonly model: string | null;
  readonly input: unknown;
  readonly output: unknown;
  readonly tools?: unknown;
  /** Of the request: temperature and the like. */
  readonly parameters?: JsonObject;
  readonly promptTokens?: unknown;
  readonly completionTokens?: unknown;
  /** Why the call failed, if it did. */
  readonly error?: string | null;
}

/** Reasons: `failed_call`, `no_messages`, `no_answer`, and those of `parseRecord`. */
export function toRecordRow(call: ForeignCall, options: ImportOptions): ImportedRow {
  const { line } = call;
  const answer = toAnswer(call.output);
  if (answer === null && call.error != null) return { line, reason: 'failed_call', detail: call.error };
  const messages = toMessages(call.input);
  if (messages === null) return { line, reason: 'no_messages', detail: 'Its input holds no chat messages.' };
  if (answer === null) return { line, reason: 'no_answer', detail: 'Its output holds no answer.' };
  const { message, finishReason } = answer;
  const choice = { index: 0, message, finish_reason: toFinishReason(finishReason, message) };
  const tools = toTools(call.tools);
  const model = call.model !== null && call.model !== '' && { model: call.model };
  const parsed = parseRecord(
    {
      id: call.id,
      timestamp: call.timestamp,
      conversation_id: call.conversationId,
      request: { ...call.parameters, ...model, messages, ...(tools && { tools }) },
      response: { object: 'chat.completion', ...model, choices: [choice], ...usageOf(call) },
      latency_ms: latencyOf(call),
      source: call.source,
    },
    options,
  );
  if (parsed.ok) return { line, record: parsed.record };
  return { line, reason: parsed.reason, detail: parsed.detail };
}

/** OpenTelemetry's `tool_call` and Anthropic's words, in OpenAI's. */
function toFinishReason(reason: string | null, message: JsonObject): string {
  const called = Array.isArray(message.tool_calls) && message.tool_calls.length > 0;
  if (called) return 'tool_calls';
  if (reason === 'max_tokens' || reason === 'length') return 'length';
  return reason === 'content_filter' ? 'content_filter' : 'stop';
}

function usageOf({ promptTokens, completionTokens }: ForeignCall): JsonObject {
  const prompt = countOf(promptTokens);
  const completion = countOf(completionTokens);
  if (prompt === null || completion === null) return {};
  return {
    usage: { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion },
  };
}

function countOf(value: unknown): number | null {
  const count = typeof value === 'string' && value !== '' ? Number(value) : value;
  return typeof count === 'number' && Number.isInteger(count) && count >= 0 ? count : null;
}

function latencyOf({ timestamp, endTimestamp }: ForeignCall): number | null {
  const [start, end] = [readTimestamp(timestamp), readTimestamp(endTimestamp)];
  if (start === null || end === null) return null;
  const latency = Date.parse(end) - Date.parse(start);
  return latency >= 0 ? latency : null;
}
