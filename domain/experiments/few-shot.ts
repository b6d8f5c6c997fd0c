import type { Example } from '../datasets/dataset.ts';
import { compareText } from '../order.ts';
import { createRandom } from '../random.ts';
import type { ChatMessage, Target, ToolCall } from '../records/chat.ts';

export interface FewShot {
  /** Appended to the system message; null when not one example fits. */
  readonly text: string | null;
  readonly recordIds: readonly string[];
}

export interface FewShotOptions {
  readonly maxExamples: number;
  readonly seed: number;
  /** Whether a text leaves room for every prompt and its answer, by the candidate's own tokenizer. */
  readonly fits: (text: string) => Promise<boolean>;
}

/** Examples of one class tried before giving up on it: `fits` asks a server, and most are of like length. */
const triesPerClass = 3;

/**
 * Chooses few-shot examples from the train split, spread over the classes: one of each per round, the
 * classes that occur most first. Deterministic for the same examples and seed, in any order.
 */
export async function selectFewShot(examples: readonly Example[], options: FewShotOptions): Promise<FewShot> {
  const queues = classQueues(examples, options.seed);
  let chosen: Example[] = [];
  while (queues.some((queue) => queue.length > 0)) {
    for (const queue of queues) {
      if (chosen.length >= options.maxExamples) return toFewShot(chosen);
      const next = await firstThatFits(queue, chosen, options.fits);
      if (next !== null) chosen = [...chosen, next];
    }
  }
  return toFewShot(chosen);
}

/** Takes examples off the queue until one fits; a class whose first few do not fit is done with. */
async function firstThatFits(
  queue: Example[],
  chosen: readonly Example[],
  fits: FewShotOptions['fits'],
): Promise<Example | null> {
  for (let tries = 0; tries < triesPerClass; tries += 1) {
    const example = queue.shift();
    if (example === undefined) return null;
    if (await fits(renderFewShot([...chosen, example]))) return example;
  }
  queue.length = 0;
  return null;
}

function toFewShot(chosen: readonly Example[]): FewShot {
  if (chosen.length === 0) return { text: null, recordIds: [] };
  return { text: renderFewShot(chosen), recordIds: chosen.map((example) => example.recordId) };
}

/** All examples in the order in which a uniform selection without bound would take them. */
export function uniformOrder(examples: readonly Example[], seed: number): Example[] {
  const queues = classQueues(examples, seed);
  const rounds = Math.max(0, ...queues.map((queue) => queue.length));
  return Array.from({ length: rounds }, (_, round) => queues.flatMap((queue) => queue[round] ?? [])).flat();
}

/** One shuffled queue per class, the most frequent class first, ties in seeded order. */
function classQueues(examples: readonly Example[], seed: number): Example[][] {
  const random = createRandom(seed);
  const sorted = [...examples].sort((left, right) => compareText(left.recordId, right.recordId));
  const labels = [...new Set(sorted.map((example) => example.label))].sort(compareText);
  const queues = random
    .shuffle(labels)
    .map((label) => random.shuffle(sorted.filter((each) => each.label === label)));
  return queues.sort((left, right) => right.length - left.length);
}

/**
 * The text of few-shot examples, as the nano models were pre-trained on it and as any other model can read:
 * `User: …` and `Assistant: …`, a tool call as `call NAME JSON-arguments`.
 */
export function renderFewShot(examples: readonly Example[]): string {
  return joinFewShot(examples.map(renderExample));
}

/** Rendered examples as one text. */
export function joinFewShot(texts: readonly string[]): string {
  return ['Examples:', ...texts].join('\n\n');
}

export function renderExample(example: Example): string {
  const history = example.messages.flatMap(renderMessage);
  return [...history, `Assistant: ${renderTarget(example.target)}`].join('\n');
}

function renderMessage(message: ChatMessage): string[] {
  switch (message.role) {
    // The examples stand in the system message already.
    case 'system':
    case 'developer':
      return [];
    case 'user':
      return [`User: ${message.content ?? ''}`];
    case 'tool':
      return [`Tool: ${message.content ?? ''}`];
    case 'assistant':
      return [
        `Assistant: ${message.toolCalls === undefined ? (message.content ?? '') : renderCalls(message.toolCalls)}`,
      ];
  }
}

function renderTarget(target: Target): string {
  return target.kind === 'text' ? target.text : renderCalls(target.calls);
}

function renderCalls(calls: readonly ToolCall[]): string {
  return calls.map((call) => `call ${call.name} ${JSON.stringify(call.arguments)}`).join('\n');
}
