import { isJsonObject, type Json, type JsonObject } from '../json.ts';

/** Texts that name something: providers that repeat them in every chunk mean the same thing again. */
const names = new Set(['role', 'id', 'type', 'name', 'object']);

/**
 * Puts the chunks of a streamed chat completion together to the completion that the same call without
 * `stream` would have answered: texts and arguments joined, tool calls by their index, usage where a chunk
 * brought it. Fields that it does not know are joined in the same way, so that providers' own survive.
 */
export class CompletionAssembler {
  #envelope: JsonObject = {};
  readonly #choices = new Map<number, JsonObject>();

  /** Takes the next chunk, parsed. */
  add(chunk: JsonObject): void {
    const { choices, ...envelope } = chunk;
    for (const [key, value] of Object.entries(envelope)) this.#keep(key, value);
    for (const choice of Array.isArray(choices) ? choices.filter(isJsonObject) : []) this.#addChoice(choice);
  }

  /**
   * The completion so far; null before the first choice. A choice that has not ended has the `finish_reason`
   * null, or `unfinished` where the caller knows why it never will.
   */
  completion(unfinished: string | null = null): JsonObject | null {
    if (this.#choices.size === 0) return null;
    const choices = [...this.#choices].sort(([left], [right]) => left - right);
    return {
      ...this.#envelope,
      object: 'chat.completion',
      choices: choices.map(([index, { message, finish_reason, ...rest }]) => ({
        index,
        message: asWhole(message),
        ...rest,
        finish_reason: finish_reason ?? unfinished,
      })),
    };
  }

  /** The first of everything, as a provider may leave it out later; but the last usage, which counts up. */
  #keep(key: string, value: Json): void {
    if (value === null || (key !== 'usage' && Object.hasOwn(this.#envelope, key))) return;
    this.#envelope = { ...this.#envelope, [key]: value };
  }

  /** Some servers stream a whole `message`, or the older completions' `text`, where others have a `delta`. */
  #addChoice({ index, delta, message, text, finish_reason, logprobs, ...rest }: JsonObject): void {
    const at = typeof index === 'number' ? index : 0;
    const piece = delta ?? message;
    const known: JsonObject = this.#choices.get(at) ?? { message: { role: 'assistant', content: null } };
    this.#choices.set(at, {
      ...known,
      ...rest,
      ...(logprobs !== undefined && { logprobs: joined(known.logprobs, logprobs) }),
      ...(typeof text === 'string' && { text: joined(known.text, text) }),
      message: joined(known.message, isJsonObject(piece) ? piece : {}),
      finish_reason: finish_reason ?? known.finish_reason ?? null,
    });
  }
}

/** What two pieces of a streamed value make. */
function joined(known: Json | undefined, piece: Json, key = ''): Json {
  if (known === undefined || known === null) return isIndexedList(piece) ? joinedLists([], piece) : piece;
  if (piece === null) return known;
  if (typeof known === 'string' && typeof piece === 'string')
    return names.has(key) ? known || piece : known + piece;
  if (Array.isArray(known) && Array.isArray(piece)) return joinedLists(known, piece);
  if (isJsonObject(known) && isJsonObject(piece)) {
    const fields = Object.entries(piece).map(([name, value]) => [name, joined(known[name], value, name)]);
    return { ...known, ...Object.fromEntries(fields) };
  }
  return piece;
}

/** Pieces of tool calls say by `index` which one they continue; other lists just go on. */
function joinedLists(known: readonly Json[], pieces: readonly Json[]): Json[] {
  return pieces.reduce<Json[]>(
    (list, piece) => {
      const at = list.findIndex((each) => indexOf(each) !== null && indexOf(each) === indexOf(piece));
      return at === -1 ? [...list, piece] : list.with(at, joined(list[at], piece));
    },
    [...known],
  );
}

function isIndexedList(value: Json): value is Json[] {
  return Array.isArray(value) && value.some((each) => indexOf(each) !== null);
}

function indexOf(value: Json | undefined): number | null {
  return isJsonObject(value) && typeof value.index === 'number' ? value.index : null;
}

/** A whole completion's tool calls stand in their order and have no index, and no words are null beside them. */
function asWhole(message: Json | undefined): Json {
  if (!isJsonObject(message)) return {};
  if (!Array.isArray(message.tool_calls)) return message;
  const calls = [...message.tool_calls].sort((left, right) => (indexOf(left) ?? 0) - (indexOf(right) ?? 0));
  return {
    ...message,
    // Servers begin with an empty piece, before they know that calls are all there will be.
    ...(message.content === '' && { content: null }),
    tool_calls: calls.map((call) => {
      if (!isJsonObject(call)) return call;
      const { index: _, ...rest } = call;
      return rest;
    }),
  };
}
