import { z } from 'zod';
import { readAnswer } from '../experiments/read-answer.ts';
import type { Judgement } from './judge.ts';

const Reply = z.strictObject({ reason: z.string(), score: z.number().min(0).max(1) });

/** The whole reply may stand in a code fence, as many models write JSON. Nothing may stand around it. */
const fenced = /^```(?:json)?\s*\n([\s\S]*?)\n?```$/;

/**
 * Reads a judge's chat completion. Strict, with or without structured output: a number fished out of prose is how
 * a 10 becomes a 1.
 */
export function readJudgement(response: unknown): Judgement {
  const read = readAnswer(response);
  if (!read.ok) return { score: null, failure: read.failure, reason: read.detail };
  if (read.answer.kind !== 'text') return unparsable('a tool call');
  const text = read.answer.text.trim();
  const parsed = Reply.safeParse(toJson(fenced.exec(text)?.[1] ?? text));
  if (parsed.success) return { ...parsed.data, failure: null };
  return unparsable(`"${text.slice(0, 120)}"`);
}

function unparsable(found: string): Judgement {
  const reason = `The judge gave ${found} instead of {"reason": text, "score": number from 0 to 1}.`;
  return { score: null, failure: 'unparsable', reason };
}

function toJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
