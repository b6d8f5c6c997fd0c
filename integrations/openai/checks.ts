import { z } from 'zod';
import type { Check, ProviderChecks } from '../../activities/ports/provider-checks.ts';
import { RejectedError } from '../../domain/errors.ts';
import type { FineTuningDialect } from '../../domain/experiments/fine-tuning-dialect.ts';
import { createClient, type ProviderSettings } from './client.ts';
import { listModels } from './list-models.ts';

const timeoutMs = 30_000;
const Listing = z.object({ data: z.array(z.unknown()) });

/** Of a server that serves what it lists, and trains where it has jobs of OpenAI's kind. */
export function createChecks(settings: Settings): ProviderChecks {
  const { listsBases, jobsPath, purpose } = settings.dialect;
  return {
    serving: (model) => [listsModel(settings, model)],
    training: (model) => [
      ...(listsBases ? [listsModel(settings, model)] : []),
      lists(settings, 'has files to train on', '/files', { purpose }),
      lists(settings, 'has fine-tuning jobs', jobsPath, { limit: 1 }),
    ],
    evaluating: () => [],
  };
}

interface Settings extends ProviderSettings {
  readonly dialect: Pick<FineTuningDialect, 'listsBases' | 'jobsPath' | 'purpose'>;
}

function lists(
  settings: Settings,
  asked: string,
  path: string,
  query: Readonly<Record<string, string | number>>,
): Check {
  return {
    asked,
    ask: () =>
      createClient(settings).call({
        ...{ doing: `list ${path}`, timeoutMs, reply: Listing },
        send: (openai, options) => openai.get(path, { ...options, query }),
      }),
    mend: 'Correct its url or `dialect` in candidates.yaml, or leave `lora` out: it may not train at all.',
  };
}

export function listsModel(settings: ProviderSettings, model: string): Check {
  return {
    asked: `serves ${model}`,
    async ask() {
      const models = await listModels(createClient(settings));
      if (models.includes(model)) return;
      throw new RejectedError(
        `${settings.name} does not list the model ${model}; it lists ${shown(models)}.`,
        { code: 'model_not_found' },
      );
    },
  };
}

const mostShown = 8;

/** A large provider lists hundreds. */
function shown(names: readonly string[]): string {
  if (names.length === 0) return 'none';
  const more = names.length > mostShown ? `, and ${names.length - mostShown} more` : '';
  return names.slice(0, mostShown).join(', ') + more;
}
