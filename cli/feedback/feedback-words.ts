import { readFile } from 'node:fs/promises';
import { InvalidInputError } from '../../domain/errors.ts';
import type { Feedback } from '../../domain/feedback/feedback.ts';
import { parseFeedback } from '../../domain/feedback/parse.ts';
import type { Json, JsonObject } from '../../domain/json.ts';
import { userName } from '../user-name.ts';

/** Feedback as it is said on the command line. */
export interface FeedbackWords {
  readonly record?: string;
  readonly conversation?: string;
  readonly workload?: string;
  readonly client?: string;
  readonly thumbs?: string;
  readonly score?: string;
  readonly correction?: string;
  readonly demonstration?: string;
  readonly outcome?: string;
  readonly signal?: string;
  readonly comment?: string;
  readonly author?: string;
  readonly key?: string;
}

/** Throws `InvalidInputError` where it says nothing, too much, or what no feedback is. */
export async function readFeedback(words: FeedbackWords): Promise<Feedback> {
  if (words.record === undefined && words.conversation === undefined)
    throw new InvalidInputError('Say what it is about: --record ID or --conversation ID.');
  const parsed = parseFeedback({
    ...(await contentOf(words)),
    record_id: words.record ?? null,
    conversation_id: words.conversation ?? null,
    workload_id: words.workload ?? null,
    client_id: words.client ?? null,
    comment: words.comment ?? null,
    author: words.author ?? userName(),
    key: words.key ?? null,
  });
  if (parsed.ok) return parsed.feedback;
  throw new InvalidInputError(`This is no feedback: ${parsed.detail}`);
}

const kinds = ['thumbs', 'score', 'correction', 'demonstration', 'outcome', 'signal'] as const;

async function contentOf(words: FeedbackWords): Promise<JsonObject> {
  const [kind, ...others] = kinds.filter((each) => words[each] !== undefined);
  if (others.length > 0)
    throw new InvalidInputError(
      `Say one thing at a time, not --${kind} and --${others[0]}: add each by itself.`,
    );
  if (kind === undefined) {
    if (words.comment !== undefined) return { kind: 'comment' };
    throw new InvalidInputError(
      `Say something: one of ${kinds.map((each) => `--${each}`).join(', ')}, --comment.`,
    );
  }
  const text = words[kind] ?? '';
  switch (kind) {
    case 'thumbs':
      return { kind, value: text };
    case 'score':
      return { kind, value: Number(text) };
    case 'correction':
      return { kind, value: text.startsWith('@') ? asJsonOrText(await read(text.slice(1))) : text };
    case 'demonstration':
      return { kind, value: asJsonOrText(await read(text)) };
    case 'outcome':
    case 'signal':
      return { kind, ...namedValue(kind, text) };
  }
}

function namedValue(kind: string, text: string): { name: string; value: Json } {
  const [, name, value] = /^([^=]+)=(.+)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined)
    throw new InvalidInputError(`--${kind} must be NAME=VALUE, such as resolved=true; found "${text}".`);
  if (value === 'true' || value === 'false') return { name, value: value === 'true' };
  const number = Number(value);
  return { name, value: Number.isFinite(number) ? number : value };
}

async function read(file: string): Promise<string> {
  return readFile(file, 'utf8').catch(() => {
    throw new InvalidInputError(`There is no file ${file}.`);
  });
}

function asJsonOrText(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text.trimEnd();
  }
}
