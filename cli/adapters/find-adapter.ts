import type { AdapterOrigin } from '../../activities/ports/adapter-lineage.ts';
import type { Lineage } from '../../activities/ports/lineage.ts';
import { CommandError } from '../command-error.ts';

/** The adapter that an argument names: a model id, or a workload, which stands for what serves it now. */
export async function findAdapter(
  lineage: Pick<Lineage, 'adapters' | 'routes'>,
  name: string,
  provider: string | undefined,
): Promise<AdapterOrigin> {
  const named = await lineage.adapters.find(name);
  if (named.length > 0) return only(named, name, provider);
  const route = await lineage.routes.get(name);
  if (route === null)
    throw new CommandError(`There is no adapter and no route of a workload called "${name}".`, {
      code: 'not_found',
      next: (hint) => `\`${hint('runs')}\` lists runs, and \`${hint('show <run> --json')}\` their models.`,
    });
  if (route.serving === null) throw notAnAdapter(name, 'the original production model');
  const serving = await lineage.adapters.find(route.serving.model);
  const mine = serving.filter((adapter) => adapter.provider === route.serving?.provider);
  if (mine.length === 0) throw notAnAdapter(name, route.serving.model);
  return only(mine, name, provider);
}

function only(found: readonly AdapterOrigin[], name: string, provider: string | undefined): AdapterOrigin {
  const left = found.filter((adapter) => provider === undefined || adapter.provider === provider);
  const [adapter] = left;
  if (adapter !== undefined && left.length === 1) return adapter;
  const providers = found.map((each) => each.provider).join(', ');
  throw new CommandError(
    adapter === undefined
      ? `Provider "${provider}" has no adapter "${name}"; ${providers} has.`
      : `Several providers have an adapter "${name}": ${providers}.`,
    { code: 'not_found', next: 'Name one of these by --provider.' },
  );
}

function notAnAdapter(workload: string, served: string): CommandError {
  return new CommandError(`Workload "${workload}" is served by ${served}, which is not an adapter.`, {
    code: 'not_an_adapter',
    next: (hint) => `Name an adapter by its model id: \`${hint(`show ${workload} --json`)}\` has them.`,
  });
}
