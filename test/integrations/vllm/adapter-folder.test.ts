import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { AdapterFiles } from '../../../activities/ports/adapter-files.ts';
import { sha256 } from '../../../domain/hash.ts';
import { createAdapterFolder } from '../../../integrations/vllm/adapter-folder.ts';

const weights = 'weights';
/** A trainer that has every adapter, of one file. */
const trainer: AdapterFiles = {
  list: async () => ({
    base: { id: 'm', hubId: null, files: [] },
    files: [{ name: 'adapter_model.safetensors', bytes: 7, sha256: sha256(weights) }],
  }),
  async *read() {
    yield Buffer.from(weights);
  },
};

test('what a killed process had begun to fetch goes with the next fetch, and what is being fetched stays', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'flywheel-adapters-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const adapters = createAdapterFolder({ folder, seenAs: folder }, [trainer]);
  const have = async (name: string, hoursAgo: number) => {
    await mkdir(join(folder, name));
    await writeFile(join(folder, name, 'adapter_model.safetensors'), 'wei');
    const at = new Date(Date.now() - hoursAgo * 3_600_000);
    await utimes(join(folder, name), at, at);
  };
  await have('.incoming-of-a-killed-process', 3);
  await have('.incoming-under-way', 1);
  await have('an-adapter', 99);

  const path = await adapters.put('new');

  const name = path.slice(folder.length + 1);
  expect((await readdir(folder)).sort()).toEqual(['.incoming-under-way', 'an-adapter', name].sort());
  expect(await readdir(path)).toEqual(['adapter_model.safetensors']);
});
