import { RejectedError, UnavailableError } from '../../domain/errors.ts';
import type { ServedModel } from './models.schema.ts';
import type { ModelsClient } from './models.ts';
import { type Reference, referenceText } from './names.ts';

/** Two of us may write what a provider serves at the same time; the loser sees it and writes again. */
const mostWrites = 5;

interface Platform {
  readonly models: ModelsClient;
  /** Its name in messages. */
  readonly platform: string;
}

/**
 * Changes which of a provider's models is which of the platform's. The list is written whole and the platform guards
 * it by nothing: so it is read at the last moment and again afterwards, and not written where nothing changes. A
 * writer that had read it before may undo this later all the same: what a route needs is looked after for that
 * (`redeployLost`).
 */
export async function changeServed(
  { models, platform }: Platform,
  provider: Reference,
  change: (served: readonly ServedModel[]) => readonly ServedModel[],
): Promise<void> {
  for (let write = 1; write <= mostWrites; write++) {
    const served = (await models.provider(provider))?.served_models;
    if (served === undefined) {
      throw new RejectedError(`${platform} has no provider ${referenceText(provider)}.`, {
        code: 'not_found',
      });
    }
    const wanted = change(served);
    if (sameEntries(served, wanted)) return;
    await models.setServed(provider, wanted);
  }
  throw new UnavailableError(
    `${platform} lost ${mostWrites} changes of what ${referenceText(provider)} serves to somebody else's.`,
    { kind: 'busy' },
  );
}

export function serves(served: readonly ServedModel[], model: Reference): boolean {
  return served.some((entry) => entry.model_entity_id === referenceText(model));
}

export function without(served: readonly ServedModel[], model: Reference): ServedModel[] {
  return served.filter((entry) => entry.model_entity_id !== referenceText(model));
}

function sameEntries(a: readonly ServedModel[], b: readonly ServedModel[]): boolean {
  const key = (entries: readonly ServedModel[]) =>
    entries
      .map((entry) => `${entry.model_entity_id} ${entry.served_model_name}`)
      .sort()
      .join('\n');
  return key(a) === key(b);
}
