import { type Removal, removerOf, removeUnused } from '../../activities/deployments/remove-unused.ts';
import type { Deployers } from '../../activities/ports/deployer.ts';
import type { DeploymentLineage, RecordedDeployment } from '../../activities/ports/deployment-lineage.ts';
import type { Config } from '../../config/config.ts';
import { openDeployers } from '../../wiring/open-deployers.ts';
import type { CleanedThing } from './report.ts';

/**
 * Runs and routes give their deployments back by themselves; what was terminated, or restored from a backup, could
 * not. `over`: runs that count as ended.
 */
export async function giveBack(
  config: Config,
  deployments: DeploymentLineage,
  over: readonly string[],
): Promise<CleanedThing[]> {
  await deployments.releaseStrayHolds(over);
  const removals = await removeUnused({ deployers: openDeployers(config), deployments });
  return removals.filter(({ deployment }) => deployment.ours).map(toThing);
}

/** What `giveBack` would remove, or keep. */
export async function wouldGiveBack(
  config: Config,
  deployments: DeploymentLineage,
  over: readonly string[],
): Promise<CleanedThing[]> {
  const held = await stillHeld(deployments, over);
  const deployers = openDeployers(config);
  return (await deployments.list())
    .filter(({ ours }) => ours)
    .filter((deployment) => !held.some((one) => isSame(one, deployment)))
    .map((deployment) => toThing({ deployment, ...wouldBe(deployers, deployment) }));
}

function wouldBe(
  deployers: Deployers,
  { provider, removing, abandoned }: RecordedDeployment,
): Pick<Removal, 'outcome' | 'reason'> {
  if (removing && !abandoned)
    return { outcome: 'left', reason: 'somebody is removing it, or has died doing so minutes ago' };
  const remover = removerOf(deployers, provider);
  return 'outcome' in remover ? remover : { outcome: 'removed', reason: null };
}

/** The deployments that somebody needs, stray holds not counted. */
export async function stillHeld(
  deployments: DeploymentLineage,
  over: readonly string[],
): Promise<RecordedDeployment[]> {
  // The holds first: one that is made meanwhile is not taken for stray.
  const all = await deployments.list();
  const stray = await deployments.strayHolds(over);
  return all.filter(({ holders, ...deployment }) =>
    holders.some((holder) => !stray.some((hold) => hold.holder === holder && isSame(hold, deployment))),
  );
}

function toThing({ deployment, outcome, reason }: Removal): CleanedThing {
  const { provider, deploymentId, model } = deployment;
  const shown = {
    provider,
    kind: 'deployment',
    role: 'serving' as const,
    id: deploymentId ?? model,
    createdAt: null,
    // Known by the database that it comes from.
    runId: null,
  };
  return { ...shown, outcome: outcome === 'left' || outcome === 'waiting' ? 'kept' : outcome, reason };
}

function isSame(a: Pick<RecordedDeployment, 'provider' | 'model'>, b: typeof a): boolean {
  return a.provider === b.provider && a.model === b.model;
}
