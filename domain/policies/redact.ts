import type { Example } from '../datasets/dataset.ts';
import type { Json } from '../json.ts';
import type { ChatMessage, Target, ToolCall } from '../records/chat.ts';
import type { RedactionKind, RedactionPolicy } from './policy.ts';

export interface Rule {
  readonly name: string;
  readonly pattern: RegExp;
  /** What the pattern alone cannot tell: how much of a match it is, from its beginning; 0 for none. */
  readonly lengthOf?: (match: string) => number;
}

/**
 * The kinds: what is alike everywhere. Anything else is a pattern of the policy.
 *
 * - `email`: an address.
 * - `card`: 13 to 19 digits, by blanks or hyphens if at all, whose check digit (Luhn) is right. What stands
 *   behind it, such as its expiry or its code, may be digits as well.
 * - `phone`: `+` and 7 to 15 digits, or a North American number with its separators.
 *
 * Each can begin in one place of a word only, and is bounded, so that no text takes long.
 */
const kinds: Record<RedactionKind, Rule> = {
  email: {
    name: 'email',
    pattern: /(?<![\p{L}\d._%+-])[\p{L}\d._%+-]{1,64}@(?:[\p{L}\d-]{1,63}\.){1,8}\p{L}{2,24}/gu,
  },
  card: { name: 'card', pattern: /(?<!\d[.-]?)\d(?:[ -]?\d){12,18}\d*/gu, lengthOf: cardLength },
  phone: {
    name: 'phone',
    pattern:
      /(?<![\w+])\+\d(?:[ ./()-]{0,2}\d){6,14}(?!\w)|(?<![\w.+-])(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}(?![\w-])/gu,
  },
};

/** Blanks out what a policy names: each match becomes `[<name>]`. */
export type Redactor = (example: Example) => Example;

/**
 * The policy's redactor; null when there is nothing to do. Messages, tool-call arguments and the target are
 * redacted alike, so that what a model is asked and what is expected of it still fit; tool definitions are the
 * application's own and stay. An example with a match says how many of each in `redacted`.
 */
export function createRedactor(policy: RedactionPolicy): Redactor | null {
  const rules = rulesOf(policy);
  if (rules.length === 0) return null;
  return (example) => {
    const counts = new Map<string, number>();
    const text = (value: string) => redactText(value, rules, counts);
    const redacted = {
      ...example,
      messages: example.messages.map((message) => redactMessage(message, text)),
      target: redactTarget(example.target, text),
    };
    if (counts.size === 0) return example;
    return { ...redacted, redacted: countsOf(counts) };
  };
}

export function rulesOf({ kinds: wanted, patterns }: RedactionPolicy): readonly Rule[] {
  return [
    // A card's digits could pass for a phone number's, never the other way round.
    ...(['email', 'card', 'phone'] as const)
      .filter((kind) => wanted.includes(kind))
      .map((kind) => kinds[kind]),
    ...Object.entries(patterns).map(([name, source]) => ({ name, pattern: new RegExp(source, 'gu') })),
  ];
}

/** By name, in the order of the names. */
export function countsOf(counts: ReadonlyMap<string, number>): Record<string, number> {
  return Object.fromEntries([...counts].sort());
}

export type RedactText = (text: string) => string;

export function redactText(text: string, rules: readonly Rule[], counts: Map<string, number>): string {
  let result = text;
  for (const { name, pattern, lengthOf } of rules) {
    const blank = (match: string) => {
      if (match === '') return match;
      counts.set(name, (counts.get(name) ?? 0) + 1);
      return `[${name}]`;
    };
    result = lengthOf
      ? replaceBeginnings(result, pattern, lengthOf, blank)
      : result.replace(pattern, (match: string) => blank(match));
  }
  return result;
}

/** Replaces so much of each match as `lengthOf` says, and looks on right behind it. */
function replaceBeginnings(
  text: string,
  pattern: RegExp,
  lengthOf: (match: string) => number,
  replacement: (match: string) => string,
): string {
  let result = '';
  let done = 0;
  pattern.lastIndex = 0;
  for (let found = pattern.exec(text); found; found = pattern.exec(text)) {
    const length = lengthOf(found[0]);
    if (length === 0) continue;
    const end = found.index + length;
    result += text.slice(done, found.index) + replacement(text.slice(found.index, end));
    done = end;
    pattern.lastIndex = end;
  }
  return result + text.slice(done);
}

function redactMessage(message: ChatMessage, text: RedactText): ChatMessage {
  return {
    ...message,
    content: message.content === null ? null : text(message.content),
    ...(message.toolCalls && { toolCalls: message.toolCalls.map((call) => redactCall(call, text)) }),
  };
}

function redactTarget(target: Target, text: RedactText): Target {
  return target.kind === 'text'
    ? { ...target, text: text(target.text) }
    : { ...target, calls: target.calls.map((call) => redactCall(call, text)) };
}

function redactCall(call: ToolCall, text: RedactText): ToolCall {
  return { ...call, arguments: redactJson(call.arguments, text) };
}

/** Values, not keys: those are the tool's own. A number that is a match becomes text. */
export function redactJson(value: Json, text: RedactText): Json {
  if (typeof value === 'string') return text(value);
  if (typeof value === 'number') {
    const redacted = text(String(value));
    return redacted === String(value) ? value : redacted;
  }
  if (Array.isArray(value)) return value.map((item) => redactJson(item, text));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, redactJson(item, text)]));
}

/** How much of these digits is a card's number: the most that ends where a group of them does. 0 for none. */
function cardLength(text: string): number {
  const ends = [...text.matchAll(/\d(?!\d)/g)].map(({ index }) => index + 1).reverse();
  return ends.find((end) => isCardNumber(text.slice(0, end))) ?? 0;
}

function isCardNumber(text: string): boolean {
  const digits = text.replace(/\D/g, '').length;
  return digits >= 13 && digits <= 19 && hasCheckDigit(text);
}

/** Luhn's check, which every payment card passes and one in ten other numbers. */
function hasCheckDigit(text: string): boolean {
  const digits = Array.from(text.replace(/\D/g, ''), Number).reverse();
  const sum = digits.reduce((total, digit, index) => {
    const weighted = index % 2 === 1 ? digit * 2 : digit;
    return total + (weighted > 9 ? weighted - 9 : weighted);
  }, 0);
  return sum % 10 === 0;
}
