import type { Inventory, KeptThing } from '../../activities/ports/inventory.ts';
import type { Lineage } from '../../activities/ports/lineage.ts';
import type { Config } from '../../config/config.ts';
import { type InUse, whyKept } from '../../domain/deployments/cleanup.ts';
import { FlywheelError } from '../../domain/errors.ts';
import { openInventories } from '../../wiring/open-inventories.ts';
import { withLineage } from '../services.ts';
import { releaseEndedRuns } from './release-ended-runs.ts';

export interface CleanedThing extends KeptThing {
  readonly provider: string;
  /** In a dry run, what would become of it. */
  readonly outcome: 'removed' | 'kept' | 'failed';
  /** Why it was not removed; null where it was. */
  readonly reason: string | null;
}

export interface CleanupRequest {
  readonly dryRun: boolean;
  readonly olderThanDays: number;
}

const dayMs = 24 * 3_600_000;
const mostRuns = 1_000;

/** Removes what nobody needs at any provider, one by one; what cannot be removed does not keep the rest. */
export function cleanUp(config: Config, { dryRun, olderThanDays }: CleanupRequest): Promise<CleanedThing[]> {
  const before = new Date(Date.now() - olderThanDays * dayMs);
  return withLineage(config, async (lineage) => {
    if (!dryRun) await releaseEndedRuns(config, lineage);
    const inUse = await whatIsInUse(lineage);
    const things: CleanedThing[] = [];
    for (const provider of Object.keys(config.providers)) {
      const inventory = openInventories(config)(provider);
      if (inventory === null) continue;
      // Listed whole before anything goes: pages would move under us.
      for (const thing of await listed(inventory)) {
        const reason = whyKept(thing, inUse, before);
        const done =
          reason === null ? await remove(inventory, thing, dryRun) : ({ outcome: 'kept', reason } as const);
        things.push({ provider, ...thing, ...done });
      }
    }
    return things;
  });
}

async function listed(inventory: Inventory): Promise<KeptThing[]> {
  const things: KeptThing[] = [];
  for await (const thing of inventory.list()) things.push(thing);
  return things;
}

async function remove(
  inventory: Inventory,
  thing: KeptThing,
  dryRun: boolean,
): Promise<Pick<CleanedThing, 'outcome' | 'reason'>> {
  try {
    if (!dryRun) await inventory.remove(thing);
    return { outcome: 'removed', reason: null };
  } catch (error) {
    if (error instanceof FlywheelError) return { outcome: 'failed', reason: error.message };
    throw error;
  }
}

async function whatIsInUse({ routes, runs, decisions, deployments }: Lineage): Promise<InUse> {
  const [all, moved, held] = await Promise.all([
    runs.list(undefined, mostRuns),
    routes.all(),
    deployments.list(),
  ]);
  const gated = await Promise.all(
    all.filter(({ gate }) => gate === 'pending').map(({ runId }) => decisions.getVerdict(runId)),
  );
  const served = moved.flatMap(({ serving, previous }) => [serving?.model, previous?.model]);
  const deployed = held
    .filter(({ holders }) => holders.length > 0)
    .flatMap(({ model, deploymentId }) => [model, deploymentId]);
  return {
    models: [...served, ...gated.map(({ serving }) => serving?.model), ...deployed].filter(
      (id) => id != null,
    ),
    runs: all.filter(({ status }) => status === 'running').map(({ runId }) => runId),
  };
}
