import { chmod, mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { findTemporal } from '../../../cli/setup/find-temporal.ts';

async function setup() {
  const dir = await mkdtemp(join(tmpdir(), 'find-temporal-'));
  const lines: string[] = [];
  const binary = async (folder: string, says: string) => {
    await mkdir(join(dir, folder), { recursive: true });
    const path = join(dir, folder, 'temporal');
    await writeFile(path, `#!/bin/sh\necho "${says}"\n`);
    await chmod(path, 0o755);
    return path;
  };
  const find = (folders: string[]) =>
    findTemporal({
      cacheDir: join(dir, 'cache'),
      onProgress: (line) => lines.push(line),
      env: { PATH: folders.map((folder) => join(dir, folder)).join(':') },
      mayFetch: false,
    });
  return { lines, binary, find };
}

const recent = 'temporal version 1.5.1 (Server 1.29.1, UI 2.42.1)';

it('takes the one on the PATH', async () => {
  const { binary, find } = await setup();
  const path = await binary('bin', recent);

  expect(await find(['empty', 'bin'])).toEqual({ path, origin: 'path' });
});

it('passes over a program that is too old or something else, and says so', async () => {
  const { binary, find, lines } = await setup();
  await binary('old', 'temporal version 0.10.0 (Server 1.22.0, UI 2.16.0)');
  await binary('other', 'hello');
  const path = await binary('cache', recent);

  expect(await find(['old', 'other'])).toEqual({ path, origin: 'cache' });
  expect(lines).toHaveLength(2);
});

it('says in one sentence what to do when there is none and nothing may be fetched', async () => {
  const { find } = await setup();

  await expect(find(['empty'])).rejects.toThrow(/run `npm run setup`, or set TEMPORAL_ADDRESS/);
});
