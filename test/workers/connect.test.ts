import { randomUUID } from 'node:crypto';
import { DefaultLogger, NativeConnection } from '@temporalio/worker';
import { expect, inject, it } from 'vitest';
import { connectWorker } from '../../workers/connect.ts';

const logger = new DefaultLogger('ERROR', () => {});

function configFor(namespace: string, { embedded = true } = {}) {
  return { temporal: { address: inject('temporalAddress'), namespace, uiUrl: null, embedded } };
}

it('connects where every search attribute is known', async () => {
  const connection = await connectWorker(configFor('default'), logger);

  expect(await connection.workflowService.getSystemInfo({})).toHaveProperty('serverVersion');
  await connection.close();
});

it('says how to create the search attributes that a namespace lacks', async () => {
  const namespace = `bare-${randomUUID().slice(0, 8)}`;
  const admin = await NativeConnection.connect({ address: inject('temporalAddress') });
  await admin.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: { seconds: 86_400 as never },
  });

  const connecting = connectWorker(configFor(namespace), logger);

  await expect(connecting).rejects.toThrow(
    `temporal operator search-attribute create --namespace ${namespace} --name FlywheelWorkload --type Keyword`,
  );
  await admin.close();
});

it('says at once how to create the namespace that a server of somebody else lacks', async () => {
  const connecting = connectWorker(configFor('second-stack', { embedded: false }), logger);

  await expect(connecting).rejects.toThrow(
    /has no namespace "second-stack" \(TEMPORAL_NAMESPACE\).*\ntemporal operator namespace create .* --namespace second-stack/,
  );
});
