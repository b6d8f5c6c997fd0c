import { beforeAll, describe, expect, it } from 'vitest';
import { bundleWorkflows } from './support/bundle.ts';

/** An empty workflow's bundle has 1.5 MB, source maps included; zod alone would add 0.9 MB. */
const limitBytes = 2_200_000;

describe('the workflow bundle', () => {
  let code: string;
  let sources: string[];
  beforeAll(async () => {
    ({ code } = await bundleWorkflows());
    sources = sourcesOf(code);
  }, 120_000);

  it('stays small', () => {
    console.log(`workflow bundle: ${(code.length / 1e6).toFixed(2)} MB of at most ${limitBytes / 1e6} MB`);

    expect(code.length).toBeLessThan(limitBytes);
  });

  it('is made of the workflows, the domain and the Temporal SDK alone', () => {
    const ours = sources.filter((source) => !source.includes('node_modules/'));
    const packages = sources.filter((source) => source.includes('node_modules/')).map(packageOf);

    expect(ours.filter((source) => !/webpack|\/(workflows|domain)\//.test(source))).toEqual([]);
    expect(ours.some((source) => source.endsWith('workflows/flywheel.ts'))).toBe(true);
    // `ms` and `long` are the SDK's own.
    expect(
      [...new Set(packages)].filter((name) => !/^@temporalio\/|^(ms|long|assert|util|nexus-rpc)$/.test(name)),
    ).toEqual([]);
  });
});

function sourcesOf(bundle: string): string[] {
  const inline = /sourceMappingURL=data:application\/json;[^,]*base64,([\w+/=]+)/.exec(bundle)?.[1];
  expect(inline).toBeDefined();
  return (JSON.parse(Buffer.from(inline ?? '', 'base64').toString('utf8')) as { sources: string[] }).sources;
}

function packageOf(source: string): string {
  return /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(source)?.[1] ?? source;
}
