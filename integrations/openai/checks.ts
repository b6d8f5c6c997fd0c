import type { Check, ProviderChecks } from '../../activities/ports/provider-checks.ts';
import type { Trainer } from '../../activities/ports/trainer.ts';
import { RejectedError } from '../../domain/errors.ts';
import type { FineTuningDialect } from '../../domain/experiments/fine-tuning-dialect.ts';
import type { ProviderSettings } from './client.ts';
import { listModels } from './list-models.ts';

/** No job has it: what finds nothing under it has been reached and let us in. */
const noKey = 'flywheel-candidates-check';

/** Of a server that serves what it lists, and trains where it has OpenAI's jobs (`trainer`). */
export function createChecks(
  settings: ProviderSettings & { readonly dialect: Pick<FineTuningDialect, 'listsBases'> },
  trainer: Pick<Trainer, 'find'>,
): ProviderChecks {
  return {
    serving: (model) => [listsModel(settings, model)],
    training: (model) => [
      ...(settings.dialect.listsBases ? [listsModel(settings, model)] : []),
      { asked: 'has fine-tuning jobs', ask: () => trainer.find(noKey) },
    ],
    evaluating: () => [],
  };
}

export function listsModel(settings: ProviderSettings, model: string): Check {
  return {
    asked: `serves ${model}`,
    async ask() {
      const models = await listModels(settings);
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
