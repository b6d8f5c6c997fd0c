import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { AdapterFiles } from '../../activities/ports/adapter-files.ts';

export interface AdapterFilesSetup {
  readonly files: AdapterFiles;
  /** An adapter that the provider has. */
  readonly model: string;
}

/** What everyone does who hands out adapters. */
export function describeAdapterFiles(name: string, setup: () => Promise<AdapterFilesSetup>): void {
  describe(`${name} as a source of adapter files`, () => {
    const signal = new AbortController().signal;

    it('lists what PEFT needs, and hands out exactly what it lists', async () => {
      const { files, model } = await setup();

      const listing = await files.list(model);

      const names = listing?.files.map((file) => file.name) ?? [];
      expect(names).toContain('adapter_config.json');
      expect(names.some((each) => each.endsWith('.safetensors'))).toBe(true);
      for (const [of, list] of [
        ['adapter', listing?.files ?? []],
        ['base', listing?.base.files ?? []],
      ] as const) {
        for (const file of list) {
          const hash = createHash('sha256');
          let bytes = 0;
          for await (const chunk of files.read({ model, of, name: file.name, signal })) {
            hash.update(chunk);
            bytes += chunk.length;
          }
          expect({ name: file.name, bytes, sha256: hash.digest('hex') }).toEqual(file);
        }
      }
    });

    it('knows neither an adapter that was never made nor a file that is not listed', async () => {
      const { files, model } = await setup();
      const read = async (file: string) => {
        for await (const _ of files.read({ model, of: 'adapter', name: file, signal }))
          throw new Error('it has one');
      };

      await expect(files.list('ft:none')).rejects.toMatchObject({ name: 'NotFoundError' });
      await expect(read('probes.json')).rejects.toMatchObject({ name: 'NotFoundError' });
      await expect(read('../../state.db')).rejects.toMatchObject({
        name: expect.stringMatching(/NotFound|Rejected/) as string,
      });
    });

    it('stops when it is told to, with the reason', async () => {
      const { files, model } = await setup();
      const reason = new Error('enough');

      const reading = files.read({
        model,
        of: 'adapter',
        name: 'adapter_config.json',
        signal: AbortSignal.abort(reason),
      });

      await expect(reading[Symbol.asyncIterator]().next()).rejects.toBe(reason);
    });
  });
}
