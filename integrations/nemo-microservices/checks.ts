import { z } from 'zod';
import type { Check, ProviderChecks } from '../../activities/ports/provider-checks.ts';
import { RejectedError } from '../../domain/errors.ts';
import { createChatModel } from './chat-model.ts';
import { createCustomizer } from './customizer.ts';
import { noContainer, ownName } from './deployer.ts';
import { createDeploymentManagement } from './deployment-management.ts';
import { createEntityStore } from './entity-store.ts';
import { createEvaluationJobs } from './evaluation.ts';
import { requireContainer } from './nim-container.ts';
import { isOurs } from './ownership.ts';
import type { NemoSettings, NimImage } from './settings.ts';
import { createTransport, type Transport } from './transport.ts';

/**
 * Of NeMo Microservices v1, each service by itself: an ingress may know some of them and not others. Lists are asked
 * for, never a thing that is not there: a host without the service answers 404 to that, too.
 */
export function createChecks(
  settings: NemoSettings,
  nims: Readonly<Record<string, NimImage>> = {},
): ProviderChecks {
  const transport = createTransport(settings, settings.url);
  const customizer = createCustomizer(transport);
  const stores: readonly Check[] = [
    {
      asked: 'has a Data Store',
      ask: () => listNamespaces(createTransport(settings, settings.dataStoreUrl)),
      mend: 'Correct `data_store_url` (or `url`) of the provider in candidates.yaml.',
    },
    {
      asked: 'has an Entity Store',
      ask: () => first(createEntityStore(transport).datasets(settings.namespace)),
    },
  ];
  return {
    serving: (model) => [
      { asked: `serves ${model}, or can deploy it`, ask: () => requireServing(settings, nims, model) },
      {
        asked: 'has a Deployment Management',
        ask: () => first(createDeploymentManagement(transport).list()),
      },
    ],
    training: (model) => [
      {
        asked: `has an enabled customization target for ${model}`,
        ask: () => customizer.targetOf(model),
      },
      ...stores,
    ],
    evaluating: () => [
      {
        asked: 'has an Evaluator',
        ask: () => first(createEvaluationJobs(transport).list(settings.namespace)),
      },
      ...stores,
    ],
  };
}

/** A NIM lists the model, a deployment is about to, or its container is known. */
async function requireServing(
  settings: NemoSettings,
  nims: Readonly<Record<string, NimImage>>,
  model: string,
): Promise<void> {
  const deployments = createDeploymentManagement(createTransport(settings, settings.url));
  const nim = nims[model];
  if (nim !== undefined) {
    const own = await deployments.get(ownName(settings, model));
    if (own !== null && isOurs(own, settings.namespace)) requireContainer(settings, own, nim);
    return;
  }
  if (await createChatModel(settings).isServed(model)) return;
  for await (const { serves, status } of deployments.list()) {
    if (serves.includes(model) && status !== 'failed') return;
  }
  throw new RejectedError(noContainer(settings, model), { code: 'model_not_found' });
}

function listNamespaces(dataStore: Transport): Promise<unknown> {
  const call = { doing: 'list the Data Store’s namespaces', path: '/v1/datastore/namespaces/' };
  return dataStore.json({ ...call, method: 'GET' }, z.unknown());
}

/** As much of a list as shows that there is one. */
async function first(items: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of items) return;
}
