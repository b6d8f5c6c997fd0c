import type { Inventories, Inventory, KeptThing } from '../../activities/ports/inventory.ts';
import type { Lineage } from '../../activities/ports/lineage.ts';
import type { Config } from '../../config/config.ts';
import { trains } from '../../config/provider.ts';
import { type InUse, isServedBy, type Known, whyForeign, whyKept } from '../../domain/deployments/cleanup.ts';
import { openInventories } from '../../wiring/open-inventories.ts';
import { withLineage } from '../services.ts';
import { findOver } from './find-over.ts';
import { giveBack, stillHeld, wouldGiveBack } from './give-back.ts';
import { type CleanedThing, type CleanupReport, messageOf, type Problem } from './report.ts';

export interface CleanupRequest {
  readonly dryRun: boolean;
  readonly olderThanDays: number;
  /** Whether to remove as well what this Flywheel's database knows nothing of. */
  readonly foreign: boolean;
  readonly signal: AbortSignal;
}

const dayMs = 24 * 3_600_000;

/** Removes what nobody needs at any provider, one by one; what cannot be asked or removed does not keep the rest. */
export function cleanUp(config: Config, request: CleanupRequest): Promise<CleanupReport> {
  const before = new Date(Date.now() - request.olderThanDays * dayMs);
  return withLineage(config, async (lineage) => {
    const { runIds: over, problem } = await findOver(config, lineage, request.dryRun);
    const givenBack = request.dryRun
      ? await wouldGiveBack(config, lineage.deployments, over)
      : await giveBack(config, lineage.deployments, over);
    const cleaning: Cleaning = {
      ...request,
      before,
      givenBack,
      inUse: () => whatIsInUse(lineage, over),
      known: (found) => whatIsKnown(lineage, found),
    };
    const reports: CleanedProvider[] = [];
    const inventories = openInventories(config);
    for (const provider of Object.keys(config.providers)) {
      const inventory = inventories(provider);
      if (inventory !== null) reports.push(await cleanProvider(cleaning, provider, inventory));
    }
    return {
      things: [...givenBack, ...reports.flatMap(({ things }) => things)],
      problems: [...(problem ? [problem] : []), ...reports.flatMap(({ problems }) => problems)],
      notListed: notListed(config, inventories),
    };
  });
}

type CleanedProvider = Pick<CleanupReport, 'things' | 'problems'>;

/** Where Flywheel trains, and knows no way to list what that leaves: OpenAI's dialect, our model server among it. */
function notListed({ providers }: Config, inventories: Inventories): string[] {
  return Object.entries(providers)
    .filter(([name, provider]) => trains(provider) && inventories(name) === null)
    .map(([name]) => name);
}

interface Cleaning extends CleanupRequest {
  readonly before: Date;
  readonly givenBack: readonly CleanedThing[];
  readonly inUse: () => Promise<InUse>;
  readonly known: (found: readonly KeptThing[]) => Promise<Known>;
}

async function cleanProvider(
  cleaning: Cleaning,
  provider: string,
  inventory: Inventory,
): Promise<CleanedProvider> {
  // Listed whole before anything goes: pages would move under us.
  const { found, problems } = await listed(provider, inventory);
  const inUse = await cleaning.inUse();
  const known = cleaning.foreign ? null : await cleaning.known(found);
  const things: CleanedThing[] = [];
  for (const thing of found) {
    cleaning.signal.throwIfAborted();
    if (goesAnyway(cleaning, provider, thing, inUse)) continue;
    const reason = whyKept(thing, inUse, cleaning.before) ?? whyLeft(thing, known);
    const done =
      reason === null ? await remove(cleaning, inventory, thing) : ({ outcome: 'kept', reason } as const);
    things.push({ provider, ...thing, ...done });
  }
  return { things, problems };
}

/** `known`: null where it does not matter. */
function whyLeft(thing: KeptThing, known: Known | null): string | null {
  const reason = known && whyForeign(thing, known);
  return reason && `${reason} (--foreign removes it)`;
}

/** As far as the list could be read: what is on it can be removed, whatever would have come after it. */
async function listed(
  provider: string,
  inventory: Inventory,
): Promise<{ found: KeptThing[]; problems: Problem[] }> {
  const found: KeptThing[] = [];
  try {
    for await (const thing of inventory.list()) found.push(thing);
    return { found, problems: [] };
  } catch (error) {
    return { found, problems: [{ who: provider, reason: messageOf(error) }] };
  }
}

/** In a dry run: what is there still, and would have gone with a deployment that is given back first, or is being. */
function goesAnyway(
  { dryRun, givenBack }: Cleaning,
  provider: string,
  thing: KeptThing,
  { models }: InUse,
): boolean {
  const gone = givenBack.filter((one) => one.provider === provider).map(({ id }) => id);
  return dryRun && isServedBy(thing, gone) && !isServedBy(thing, models);
}

async function remove(
  { dryRun, inUse, before }: Cleaning,
  inventory: Inventory,
  thing: KeptThing,
): Promise<Pick<CleanedThing, 'outcome' | 'reason'>> {
  if (dryRun) return { outcome: 'removed', reason: null };
  try {
    // Long lists take a while: somebody may have come to need it.
    const reason = whyKept(thing, await inUse(), before);
    if (reason !== null) return { outcome: 'kept', reason };
    await inventory.remove(thing);
    return { outcome: 'removed', reason: null };
  } catch (error) {
    return { outcome: 'failed', reason: messageOf(error) };
  }
}

/** Of what was found. Asked after it was listed: what makes a thing is in the lineage before it. */
async function whatIsKnown(lineage: Lineage, found: readonly KeptThing[]): Promise<Known> {
  const runIds = new Set(found.flatMap(({ runId }) => runId ?? []));
  const deployed = await lineage.deployments.list();
  return {
    runs: await lineage.runs.known([...runIds]),
    models: [...(await lineage.adapters.models()), ...deployed.map(({ model }) => model)],
  };
}

/** Asked in the order in which things come to be needed: a run's winner is promotable before the run has ended. */
async function whatIsInUse(lineage: Lineage, over: readonly string[]): Promise<InUse> {
  const running = await lineage.runs.running();
  const promotable = await lineage.decisions.promotable();
  const held = await stillHeld(lineage.deployments, over);
  const routes = await lineage.routes.all();
  const isOpen = ({ runId }: { readonly runId: string }) => !over.includes(runId);
  return {
    models: [
      ...promotable.filter(isOpen).map(({ serving }) => serving.model),
      ...held.flatMap(({ model, deploymentId }) => [model, deploymentId]),
      ...routes.flatMap(({ serving, previous }) => [serving?.model, previous?.model]),
    ].filter((id) => id != null),
    runs: running.filter(isOpen).map(({ runId }) => runId),
  };
}
