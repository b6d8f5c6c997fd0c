import { isJsonObject, type Json } from '../json.ts';

/**
 * What a conversation asks last, which is what likeness is about: the text of its last user message. Empty when
 * there is none.
 */
export function questionOf(messages: readonly Json[]): string {
  const asked = messages.filter(isJsonObject).findLast(({ role }) => role === 'user');
  return asked === undefined ? '' : textOf(asked.content);
}

function textOf(content: Json | undefined): string {
  if (typeof content === 'string') return content.trim();
  if (!Array.isArray(content)) return '';
  const texts = content.filter(isJsonObject).map(({ text }) => (typeof text === 'string' ? text : ''));
  return texts.join('\n').trim();
}
