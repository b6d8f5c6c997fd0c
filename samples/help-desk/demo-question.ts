import type { JsonObject } from '../../domain/json.ts';
import { createRandom } from '../../domain/random.ts';
import { requestOf, toolExchange } from './exchange.ts';

export interface DemoQuestion {
  readonly text: string;
  /** A chat-completion request without `model`. */
  readonly request: JsonObject;
  readonly expected: { readonly name: string; readonly arguments: JsonObject };
}

/**
 * A fresh question for the end of the demo, with the call that answers it. `seen` holds the questions of the
 * traffic: the drawn one is not among them.
 */
export function demoQuestion(seed: number, seen: ReadonlySet<string> = new Set()): DemoQuestion {
  const random = createRandom(seed ^ 0x5eed);
  for (;;) {
    const [turn] = toolExchange(random);
    const text = turn?.messages.at(-1)?.content;
    if (turn === undefined || typeof text !== 'string' || seen.has(text)) continue;
    const [made] = turn.answer.tool_calls as { function: { name: string; arguments: string } }[];
    if (made === undefined) continue;
    const { name, arguments: given } = made.function;
    return { text, request: requestOf(turn), expected: { name, arguments: JSON.parse(given) as JsonObject } };
  }
}

/** The last question of each record: what `demoQuestion` must not repeat. */
export function askedQuestions(records: readonly JsonObject[]): Set<string> {
  return new Set(
    records.flatMap((record) => {
      const { messages } = record.request as { messages: { role: string; content: unknown }[] };
      const asked = messages.filter((message) => message.role === 'user').at(-1)?.content;
      return typeof asked === 'string' ? [asked] : [];
    }),
  );
}
