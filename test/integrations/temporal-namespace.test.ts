import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { Connection } from '@temporalio/client';
import { expect, inject, it, onTestFinished } from 'vitest';
import { temporalCacheDir } from '../../cli/setup/cache.ts';
import { findTemporal } from '../../cli/setup/find-temporal.ts';
import { repositoryRoot } from '../../config/config.ts';
import { searchAttributeTypes } from '../../workflows/search-attributes.ts';

const script = join(repositoryRoot, 'docker', 'temporal-namespace.sh');

it('the production stack’s script makes a namespace that our workers accept, and may run again', async () => {
  const address = inject('temporalAddress');
  const namespace = `ns-${randomUUID().slice(0, 8)}`;
  const { path } = await findTemporal({ cacheDir: temporalCacheDir(), onProgress: () => {} });
  const env = {
    ...process.env,
    PATH: `${dirname(path)}:${process.env['PATH']}`,
    TEMPORAL_ADDRESS: address,
    TEMPORAL_NAMESPACE: namespace,
  };

  await promisify(execFile)('/bin/sh', [script], { env });
  const again = await promisify(execFile)('/bin/sh', [script], { env });

  expect(again.stdout).toContain(`Namespace ${namespace} is ready.`);
  const connection = await Connection.connect({ address });
  onTestFinished(() => connection.close());
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  expect(Object.keys(customAttributes)).toEqual(expect.arrayContaining(Object.keys(searchAttributeTypes)));
}, 180_000);
