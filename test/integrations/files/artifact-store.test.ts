import { chmod, mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFileArtifactStore } from '../../../integrations/files/artifact-store.ts';
import { pathOf } from '../../../integrations/files/paths.ts';
import { describeArtifactStore } from '../../contracts/artifact-store.contract.ts';

let root = '';
let next = 0;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'flywheel-artifacts-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

function freshFolder(): string {
  return join(root, `store-${++next}`);
}

describeArtifactStore('A folder', async () => createFileArtifactStore(freshFolder()));

describe('artifacts in a folder', () => {
  it('are for their owner only', async () => {
    const folder = freshFolder();

    const { sha256 } = await createFileArtifactStore(folder).putText('private');

    expect((await stat(folder)).mode & 0o077).toBe(0);
    expect((await stat(pathOf(folder, sha256))).mode & 0o077).toBe(0);
  });

  it('are not read when they were damaged', async () => {
    const folder = freshFolder();
    const store = createFileArtifactStore(folder);
    const { uri, sha256 } = await store.putText('as it was');
    await chmod(pathOf(folder, sha256), 0o600);
    await writeFile(pathOf(folder, sha256), 'as it is!');

    await expect(store.readText(uri)).rejects.toMatchObject({
      name: 'RejectedError',
      message: expect.stringContaining('damaged'),
    });
  });

  it('leave nothing aside when their source fails', async () => {
    const folder = freshFolder();
    const broken = (function* () {
      yield 'one';
      throw new Error('the source failed');
    })();

    await expect(createFileArtifactStore(folder).putLines(broken)).rejects.toThrow('the source failed');

    expect(await readdir(join(folder, 'incoming'))).toEqual([]);
  });

  it('of a writer that died a day ago are cleared away, younger ones are not', async () => {
    const folder = freshFolder();
    await createFileArtifactStore(folder).putText('makes the folder');
    const dayAndMore = new Date(Date.now() - 25 * 3_600_000);
    await writeFile(join(folder, 'incoming', 'old'), 'half');
    await utimes(join(folder, 'incoming', 'old'), dayAndMore, dayAndMore);
    await writeFile(join(folder, 'incoming', 'young'), 'half');

    await createFileArtifactStore(folder).putText('next process');

    expect(await readdir(join(folder, 'incoming'))).toEqual(['young']);
  });

  it('are unavailable, not lost, when the folder cannot be used', async () => {
    const folder = freshFolder();
    await writeFile(folder, 'a file where the folder should be');

    await expect(createFileArtifactStore(folder).putText('x')).rejects.toMatchObject({
      name: 'UnavailableError',
      retryable: true,
    });
  });
});
