import { randomBytes } from 'node:crypto';
import { mkdir, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { readTokens } from '../../config/tokens-file.ts';
import type { Token } from '../../domain/access/token.ts';
import { tokensFileText } from '../../domain/access/tokens-file.schema.ts';
import { exclusive } from '../setup/exclusive.js';

/** Changes the file whole or not at all; two commands at once take turns. */
export async function changeTokens(
  file: string,
  change: (tokens: readonly Token[]) => readonly Token[],
): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await exclusive(
    `${file}.queue`,
    () => undefined,
    async () => write(file, tokensFileText(change(await readTokens(file)))),
  );
}

async function write(file: string, text: string): Promise<void> {
  const draft = `${file}.${randomBytes(4).toString('hex')}.draft`;
  const handle = await open(draft, 'w', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(draft, file);
}
