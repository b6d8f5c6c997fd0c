const patterns: readonly (readonly [RegExp, string])[] = [
  // Authorization headers, wherever an error text quotes one.
  [/\b(bearer|basic)\s+[\w.~+/=-]{6,}/gi, '$1 [redacted]'],
  // Keys of OpenAI's form, also partly starred out as the API itself quotes them.
  [/\b(sk|pk|nvapi|hf|ghp|fw)[-_][\w*-]{6,}/gi, '[redacted]'],
  // Passwords in connection strings and URLs.
  [/\b([a-z][a-z0-9+.-]*:\/\/[^\s:/@]*):[^\s@/]+@/gi, '$1:[redacted]@'],
  [/\b(api[-_ ]?key|password|passwd|secret|token)(["']?\s*[:=]\s*["']?)[^\s"',;&]{4,}/gi, '$1$2[redacted]'],
];

/** Shorter ones are placeholders (`none`, `x`), whose every occurrence in a text would be blanked out. */
const shortestKey = 6;

/**
 * The text with everything that looks like a credential replaced, and the one that was sent, whatever it looks like.
 * For messages that leave the process.
 */
export function withoutSecrets(text: string, sent: string | null = null): string {
  const plain = sent === null || sent.length < shortestKey ? text : text.replaceAll(sent, '[redacted]');
  return patterns.reduce((clean, [pattern, replacement]) => clean.replace(pattern, replacement), plain);
}
