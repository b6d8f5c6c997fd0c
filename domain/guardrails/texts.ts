import { isJsonObject, type Json, type JsonObject } from '../json.ts';

/** Who does not speak for the caller: the application and the model. Everybody else does, tools and unknown roles too. */
const others: ReadonlySet<unknown> = new Set(['system', 'developer', 'assistant']);

/** Names and kinds of things, which nobody said. */
const unspoken: ReadonlySet<string> = new Set(['role', 'id', 'type', 'index', 'tool_call_id', 'format']);

/** Where parts have a file itself: sound, or any. */
const fileData: ReadonlySet<string> = new Set(['data', 'file_data']);
/** Where they have its address, which may be a data URL. */
const mediaUrls: ReadonlySet<string> = new Set(['image_url', 'audio_url', 'video_url']);
const dataUrlHead = /^data:[^,]{0,200};base64,/i;
const noBase64 = /[^\w+/=-]/;

/**
 * What a request asks anew: everything of users and tools behind the last answer. What stands before it was checked
 * when it was new, and would block the rest of the conversation for ever; the application's own words are not judged.
 */
export function questionText(messages: readonly Json[]): string {
  const given = messages.filter(isJsonObject);
  // An answer that the model is to go on with is at the end, and answers nothing yet.
  const end = given.findLastIndex(({ role }) => role !== 'assistant') + 1;
  const begin = given.slice(0, end).findLastIndex(({ role }) => role === 'assistant') + 1;
  return given
    .slice(begin, end)
    .filter(({ role }) => !others.has(role))
    .map(({ content }) => texts(content).join('\n'))
    .join('\n');
}

/**
 * Everything that a chat completion says, of every choice: text, refusal, reasoning, called tools and their
 * arguments. Null when there is no answer in it.
 */
export function answerText(response: JsonObject): string | null {
  const choices = Array.isArray(response.choices) ? response.choices : [];
  const said = choices.flatMap((choice) =>
    // `text` is of the older completions, which some servers send even here.
    isJsonObject(choice) && isJsonObject(choice.message) ? [[choice.message, choice.text ?? null]] : [],
  );
  if (said.length === 0 || said.length < choices.length) return null;
  return said.flatMap(texts).join('\n');
}

function texts(value: Json | undefined): string[] {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value.flatMap(texts);
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([key, item]) => {
    if (unspoken.has(key)) return [];
    if (key === 'arguments') return argumentTexts(item);
    if (fileData.has(key) && typeof item === 'string') return [withoutFile(item, '')];
    return mediaUrls.has(key) ? mediaTexts(item) : texts(item);
  });
}

function mediaTexts(value: Json): string[] {
  if (typeof value === 'string') return [withoutFile(value, value)];
  if (!isJsonObject(value)) return texts(value);
  const { url, ...more } = value;
  return [...(typeof url === 'string' ? [withoutFile(url, url)] : texts(url)), ...texts(more)];
}

/**
 * Only what can be nothing but a file's base64 is left out: whatever could be read as text stays. `headless`: what is
 * no file where there is no data URL's head.
 */
function withoutFile(value: string, headless: string): string {
  const head = dataUrlHead.exec(value)?.[0] ?? headless;
  return noBase64.test(value.slice(head.length)) ? value : head;
}

/** Some servers give arguments as an object, whose names are the tool's own: none of them is passed over. */
function argumentTexts(value: Json): string[] {
  return typeof value === 'string' ? [value, ...decoded(value)] : namesAndTexts(value);
}

/** Arguments are JSON as text, in which any letter may stand as its number, and a line break as two letters. */
function decoded(text: string): string[] {
  try {
    return namesAndTexts(JSON.parse(text) as Json);
  } catch {
    return [];
  }
}

function namesAndTexts(value: Json): string[] {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value.flatMap(namesAndTexts);
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([name, item]) => [name, ...namesAndTexts(item)]);
}
