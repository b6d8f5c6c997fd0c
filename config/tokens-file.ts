import { readFile } from 'node:fs/promises';
import type { Token } from '../domain/access/token.ts';
import { readTokensFile } from '../domain/access/tokens-file.schema.ts';
import { ConfigError } from './config-error.ts';

/** The tokens of the file; none where there is no file. Throws `ConfigError` where it cannot be used. */
export async function readTokens(file: string): Promise<readonly Token[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return [];
    throw new ConfigError([`tokens file ${file}: cannot be read: ${message}`]);
  }
  const { tokens, problems } = readTokensFile(text);
  if (problems.length > 0) throw new ConfigError(problems.map((each) => `tokens file ${file}: ${each}`));
  return tokens;
}
