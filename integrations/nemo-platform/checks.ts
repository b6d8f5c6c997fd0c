import { z } from 'zod';
import type { Check, ProviderChecks } from '../../activities/ports/provider-checks.ts';
import { RejectedError } from '../../domain/errors.ts';
import { backends } from './customization.ts';
import { requireJobLoops } from './jobs.ts';
import { createModelsClient } from './models.ts';
import { referenceText, toReference } from './names.ts';
import { customizerOf, type NemoPlatformSettings } from './settings.ts';
import { createTransport, type Transport } from './transport.ts';

/** Of a NeMo Platform: its model's entity and route, the backend that trains, the evaluator, and who starts jobs. */
export function createChecks(settings: NemoPlatformSettings): ProviderChecks {
  const transport = createTransport(settings);
  const customizer = customizerOf(settings);
  const startsJobs: Check = {
    asked: 'starts jobs',
    ask: () => requireJobLoops(settings, transport),
    mend: 'Restart the platform; its log says why its job controller ended.',
  };
  return {
    serving: (model) => [routes(settings, transport, model)],
    training: (model) => [
      hasEntity(settings, transport, model),
      {
        asked: `customizes by ${customizer}`,
        ask: () => lists(transport, 'customization', `${backends[customizer].path}/jobs`, settings),
        mend: 'Correct `customizer` or `workspace` of the provider, or install that backend on the platform.',
      },
      startsJobs,
    ],
    evaluating: () => [
      { asked: 'evaluates', ask: () => lists(transport, 'evaluator', 'evaluate/jobs', settings) },
      startsJobs,
    ],
  };
}

function hasEntity(settings: NemoPlatformSettings, transport: Transport, model: string): Check {
  const reference = toReference(model, settings.workspace);
  return {
    asked: `has a model entity ${referenceText(reference)}`,
    async ask() {
      if (await createModelsClient(transport).entity(reference)) return;
      throw new RejectedError(`${settings.name} has no model entity ${referenceText(reference)}.`, {
        code: 'model_not_found',
      });
    },
    mend: 'Make a model entity of that name there, or correct `model` or `workspace` in candidates.yaml.',
  };
}

function routes(settings: NemoPlatformSettings, transport: Transport, model: string): Check {
  const reference = toReference(model, settings.workspace);
  return {
    asked: `routes ${referenceText(reference)}`,
    async ask() {
      if (await createModelsClient(transport).isRouted(reference)) return;
      throw new RejectedError(
        `${settings.name} routes no model ${referenceText(reference)}, or nothing behind it answers.`,
        { code: 'model_not_found' },
      );
    },
    mend: 'Deploy or register the model there, or correct `model` or `workspace` in candidates.yaml.',
  };
}

/** One job, or none: that the service is there and lets us in. */
async function lists(
  transport: Transport,
  service: string,
  jobs: string,
  { workspace }: NemoPlatformSettings,
): Promise<void> {
  await transport.call({
    doing: `list the jobs of ${service}`,
    method: 'GET',
    path: `/apis/${service}/v2/workspaces/${encodeURIComponent(workspace)}/${jobs}`,
    query: { page: 1, page_size: 1 },
    reply: z.object({ data: z.array(z.unknown()) }),
  });
}
