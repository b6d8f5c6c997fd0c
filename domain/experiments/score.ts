import { jsonEqual } from '../json.ts';
import type { Target, Tool, ToolCall } from '../records/chat.ts';
import { rougeL } from './rouge.ts';

/**
 * All metrics, in the order in which they are shown. An item has a score only for those that apply to it:
 *
 * - `call_accuracy`: tools offered. Right calls with equal arguments; where no tool was right, an answer in text.
 * - `tool_accuracy`: the same by the tools' names alone.
 * - `no_tool_recall`: tools offered and none right: answered in text.
 * - `exact_match`, `rouge_l`: the target is text.
 */
export const metricNames = [
  'call_accuracy',
  'tool_accuracy',
  'no_tool_recall',
  'exact_match',
  'rouge_l',
] as const;
export type MetricName = (typeof metricNames)[number];

/**
 * Scores one item, each metric in [0, 1]. `answer` is null for a failure, which scores 0 wherever a metric
 * applies: what applies depends on the target and the offered tools alone, so denominators never shrink.
 */
export function scoreItem(
  target: Target,
  answer: Target | null,
  offeredTools: readonly Tool[],
): Record<string, number> {
  const scores: [MetricName, number][] = [];
  if (offeredTools.length > 0) {
    scores.push(['call_accuracy', Number(callsMatch(target, answer, sameCall))]);
    scores.push(['tool_accuracy', Number(callsMatch(target, answer, sameName))]);
    if (target.kind === 'text') scores.push(['no_tool_recall', Number(answer?.kind === 'text')]);
  }
  if (target.kind === 'text') {
    const said = answer?.kind === 'text' ? answer.text : null;
    scores.push(['exact_match', Number(said !== null && plain(said) === plain(target.text))]);
    scores.push(['rouge_l', said === null ? 0 : rougeL(said, target.text)]);
  }
  return Object.fromEntries(scores);
}

function callsMatch(target: Target, answer: Target | null, same: SameCall): boolean {
  if (answer === null || answer.kind !== target.kind) return false;
  if (target.kind === 'text' || answer.kind === 'text') return true;
  return isSameMultiset(target.calls, answer.calls, same);
}

type SameCall = (left: ToolCall, right: ToolCall) => boolean;

function sameName(left: ToolCall, right: ToolCall): boolean {
  return left.name === right.name;
}

function sameCall(left: ToolCall, right: ToolCall): boolean {
  return left.name === right.name && jsonEqual(left.arguments, right.arguments);
}

/** Parallel calls have no order, but each must be there as often as it should. */
function isSameMultiset(wanted: readonly ToolCall[], made: readonly ToolCall[], same: SameCall): boolean {
  if (wanted.length !== made.length) return false;
  const left = [...made];
  return wanted.every((call) => {
    const found = left.findIndex((other) => same(call, other));
    if (found >= 0) left.splice(found, 1);
    return found >= 0;
  });
}

/** White space is layout, not an answer. Case and punctuation count. */
function plain(text: string): string {
  return text.normalize('NFC').replace(/\s+/g, ' ').trim();
}
