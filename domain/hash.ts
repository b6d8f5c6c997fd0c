import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';

/**
 * RFC 8785 canonical JSON: equal values give equal text, whatever the order of their keys.
 * Uses Node's crypto beside it, so workflows must not import this file.
 */
export function canonicalJson(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError('Only JSON values have a canonical form.');
  return text;
}

/** Hex, lower case. Text is hashed as UTF-8. */
export function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

/** As `sha256` of the lines with line breaks between them, which are never all in memory. */
export async function sha256OfLines(lines: AsyncIterable<string>): Promise<string> {
  const hash = createHash('sha256');
  let separator = '';
  for await (const line of lines) {
    hash.update(separator).update(line);
    separator = '\n';
  }
  return hash.digest('hex');
}
