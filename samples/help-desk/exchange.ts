import type { JsonObject } from '../../domain/json.ts';
import type { Random } from '../../domain/random.ts';
import { followUps, orderStates, plainPhrases, toolPhrases } from './phrases.ts';
import { writeQuestion } from './question.ts';
import { argumentsOf, helpDeskTools, slotOf, systemPrompt, type ToolName, toolNames } from './tools.ts';

/** One call of a model: what it was sent, and the right answer. */
export interface Turn {
  readonly messages: readonly JsonObject[];
  readonly answer: JsonObject;
}

/** Turns of one conversation, in order. Most have one. */
export type Exchange = readonly Turn[];

const system: JsonObject = { role: 'system', content: systemPrompt };

/** A question that one tool answers. */
export function toolExchange(random: Random, tool: ToolName = random.pick(toolNames)): Exchange {
  const question = writeQuestion(random.pick(toolPhrases[tool]), slotOf(tool), random);
  return [{ messages: [system, user(question.text)], answer: call(tool, question.value, random) }];
}

/** A question that no tool answers: out of scope, a greeting, thanks. */
export function plainExchange(random: Random): Exchange {
  // Out of scope is the hard part; greetings and thanks are few words and soon learned.
  const topic = random.chance(0.8) ? plainPhrases[0] : random.pick(plainPhrases.slice(1));
  if (topic === undefined) throw new RangeError('There are no plain phrases.');
  const question = writeQuestion(random.pick(topic.phrases), null, random);
  return [{ messages: [system, user(question.text)], answer: text(topic.reply) }];
}

/** A tool loop: question → call → result → answer in words, at times with a follow-up on the same order. */
export function loopExchange(random: Random): Exchange {
  const question = writeQuestion(random.pick(toolPhrases.track_order), 'order', random);
  const asked = [system, user(question.text)];
  const called = call('track_order', question.value, random);
  const state = random.pick(orderStates);
  const answered = [...asked, called, { role: 'tool', tool_call_id: callId(called), content: state.result }];
  const turns: Turn[] = [
    { messages: asked, answer: called },
    { messages: answered, answer: text(state.reply) },
  ];
  if (random.chance(0.5)) return turns;
  const next = random.pick(followUps);
  const followUp = writeQuestion(random.pick(next.phrases), null, random);
  return [
    ...turns,
    {
      messages: [...answered, text(state.reply), user(followUp.text)],
      answer: call(next.tool, question.value, random),
    },
  ];
}

/** The same question in other clothes: other case and punctuation. */
export function nearDuplicate([turn]: Exchange, random: Random): Exchange {
  if (turn === undefined) return [];
  const messages = turn.messages.map((message) =>
    message.role === 'user' && typeof message.content === 'string'
      ? user(redress(message.content, random))
      : message,
  );
  return [{ ...turn, messages }];
}

function redress(content: string, random: Random): string {
  const bare = content.replace(/[?!.]+$/, '');
  return random.pick([`${bare}??`, `${bare} !`, `${bare}...`, ` ${bare}`]);
}

/** A wrong answer as a production model gives them: another tool, no tool, or a slip in the argument. */
export function wrongAnswer(answer: JsonObject, random: Random): JsonObject {
  const right = toolNames.find((name) => JSON.stringify(answer).includes(`"name":"${name}"`));
  const others = toolNames.filter((name) => name !== right && slotOf(name) === null);
  if (right !== undefined && random.chance(0.3)) return text(plainPhrases[0]?.reply ?? '');
  if (right !== undefined && slotOf(right) === 'order' && random.chance(0.5)) {
    return call(right, `A${100 + random.below(900)}`, random);
  }
  return call(random.pick(others), null, random);
}

function user(content: string): JsonObject {
  return { role: 'user', content };
}

function text(content: string): JsonObject {
  return { role: 'assistant', content };
}

function call(tool: ToolName, value: string | null, random: Random): JsonObject {
  const id = `call_${String(random.below(1e9)).padStart(9, '0')}`;
  const made = {
    id,
    type: 'function',
    function: { name: tool, arguments: JSON.stringify(argumentsOf(tool, value)) },
  };
  return { role: 'assistant', content: null, tool_calls: [made] };
}

function callId(message: JsonObject): string {
  const [made] = message.tool_calls as { id: string }[];
  return made?.id ?? '';
}

/** The request of a turn, as an application sends it. */
export function requestOf(turn: Turn): JsonObject {
  return { messages: [...turn.messages], tools: helpDeskTools };
}
