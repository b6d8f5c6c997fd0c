import { isJsonObject, type Json, type JsonObject } from '../json.ts';

/** Whether a chat request holds or asks for anything but text: images, audio, files. */
export function asksBeyondText(request: JsonObject): boolean {
  const { messages, modalities } = request;
  if (Array.isArray(modalities) && modalities.some((each) => each !== 'text')) return true;
  return Array.isArray(messages) && messages.some(holdsMore);
}

function holdsMore(message: Json): boolean {
  if (!isJsonObject(message)) return false;
  if (isJsonObject(message.audio)) return true;
  return Array.isArray(message.content) && message.content.some((part) => !isText(part));
}

function isText(part: Json): boolean {
  return isJsonObject(part) && (part.type === 'text' || part.type === 'refusal');
}
