import type { JsonObject } from '../../domain/json.ts';
import { createRandom, type Random } from '../../domain/random.ts';
import { requestOf, toolExchange } from './exchange.ts';

export interface DemoQuestion {
  readonly text: string;
  /** A chat-completion request without `model`. */
  readonly request: JsonObject;
  readonly expected: { readonly name: string; readonly arguments: JsonObject };
}

/**
 * Fresh questions for the end of the demo, each with the call that answers it. `seen` holds the questions of the
 * traffic: the drawn ones are not among them.
 */
export function demoQuestions(
  count: number,
  { seed, seen = new Set() }: { readonly seed: number; readonly seen?: ReadonlySet<string> },
): DemoQuestion[] {
  const random = createRandom(seed ^ 0x5eed);
  const drawn = new Map<string, DemoQuestion>();
  while (drawn.size < count) {
    const question = drawQuestion(random);
    if (question !== null && !seen.has(question.text)) drawn.set(question.text, question);
  }
  return [...drawn.values()];
}

function drawQuestion(random: Random): DemoQuestion | null {
  const [turn] = toolExchange(random);
  const text = turn?.messages.at(-1)?.content;
  if (turn === undefined || typeof text !== 'string') return null;
  const [made] = turn.answer.tool_calls as { function: { name: string; arguments: string } }[];
  if (made === undefined) return null;
  const { name, arguments: given } = made.function;
  return { text, request: requestOf(turn), expected: { name, arguments: JSON.parse(given) as JsonObject } };
}

/** The last question of each record: what `demoQuestions` must not repeat. */
export function askedQuestions(records: readonly JsonObject[]): Set<string> {
  return new Set(
    records.flatMap((record) => {
      const { messages } = record.request as { messages: { role: string; content: unknown }[] };
      const asked = messages.filter((message) => message.role === 'user').at(-1)?.content;
      return typeof asked === 'string' ? [asked] : [];
    }),
  );
}
