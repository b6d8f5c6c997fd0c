import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { RejectedLine } from '../../domain/records/record.ts';
import { withoutSecrets } from '../../domain/secrets.ts';

/** Where every row that an import set aside is written to, one JSON object per line. */
export interface RejectsFile {
  /** Line number, reason and detail; never the row itself, which may be anybody's words. */
  add(row: RejectedLine): Promise<void>;
  /** Absolute path; null while nothing was set aside, and there is no file. */
  readonly path: string | null;
  close(): Promise<void>;
}

/** `<home>/imports/<file>-<time>.rejects.jsonl`, made with its first row and readable by its owner only. */
export function createRejectsFile({
  home,
  file,
  now,
}: {
  home: string;
  file: string;
  now: Date;
}): RejectsFile {
  const folder = join(home, 'imports');
  const time = now.toISOString().replace(/[-:.]/g, '').toLowerCase();
  const path = join(folder, `${basename(file)}-${time}.rejects.jsonl`);
  let handle: FileHandle | null = null;
  return {
    async add({ line, reason, detail }) {
      if (handle === null) {
        await mkdir(folder, { recursive: true });
        handle = await open(path, 'ax', 0o600);
      }
      await handle.write(`${JSON.stringify({ line, reason, detail: withoutSecrets(detail) })}\n`);
    },
    get path() {
      return handle === null ? null : path;
    },
    async close() {
      await handle?.close();
    },
  };
}
