const patterns: readonly (readonly [RegExp, string])[] = [
  // Authorization headers, wherever an error text quotes one.
  [/\b(bearer|basic)\s+[\w.~+/=-]{6,}/gi, '$1 [redacted]'],
  // Keys of OpenAI's form, also partly starred out as the API itself quotes them.
  [/\b(sk|pk|nvapi|hf|ghp|fw)[-_][\w*-]{6,}/gi, '[redacted]'],
  // Passwords in connection strings and URLs.
  [/\b([a-z][a-z0-9+.-]*:\/\/[^\s:/@]*):[^\s@/]+@/gi, '$1:[redacted]@'],
  [/\b(api[-_ ]?key|password|passwd|secret|token)(["']?\s*[:=]\s*["']?)[^\s"',;&]{4,}/gi, '$1$2[redacted]'],
];

/** The text with everything that looks like a credential replaced. For messages that leave the process. */
export function withoutSecrets(text: string): string {
  return patterns.reduce((clean, [pattern, replacement]) => clean.replace(pattern, replacement), text);
}
