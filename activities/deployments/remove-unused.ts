import { FlywheelError, NotFoundError, RejectedError } from '../../domain/errors.ts';
import type { Deployer, Deployers } from '../ports/deployer.ts';
import type { DeploymentLineage, RecordedDeployment } from '../ports/deployment-lineage.ts';

export interface RemoveUnusedPorts {
  readonly deployers: Deployers;
  readonly deployments: Pick<DeploymentLineage, 'claimUnused' | 'renewClaim' | 'unclaim' | 'forget'>;
}

export interface Removal {
  readonly deployment: RecordedDeployment;
  /**
   * `left`: to whoever has it now, and out of our books. `failed`: it is tried again by whoever comes next. `waiting`:
   * so it is, but in vain until its provider is configured again.
   */
  readonly outcome: 'removed' | 'left' | 'failed' | 'waiting';
  /** Why it was not removed; null where it was. */
  readonly reason: string | null;
}

/**
 * Takes off what nobody needs any more, adapters before their base models; one that cannot be removed now does not
 * keep the others. Each step is idempotent, and finishes what another left. `onRemoval` hears of each as it is done.
 */
export async function removeUnused(
  { deployers, deployments }: RemoveUnusedPorts,
  onRemoval: (removal: Removal) => void = () => undefined,
): Promise<readonly Removal[]> {
  const removals: Removal[] = [];
  for (const claimed of await deployments.claimUnused()) {
    // Those before it may have taken longer than a claim lasts.
    const deployment = await deployments.renewClaim(claimed);
    if (deployment === null) continue;
    const removal = await removeOne(deployers, deployment).catch(async (error: unknown) => {
      await deployments.unclaim(deployment);
      throw error;
    });
    // Refused for good, it would be in everybody's way for ever: only what may yet succeed stays in the books.
    const mayYet = removal.outcome === 'failed' || removal.outcome === 'waiting';
    await (mayYet ? deployments.unclaim(deployment) : deployments.forget(deployment));
    removals.push(removal);
    onRemoval(removal);
  }
  return removals;
}

async function removeOne(deployers: Deployers, deployment: RecordedDeployment): Promise<Removal> {
  const { provider, model, baseModel, deploymentId, ours } = deployment;
  // What others made is theirs, and what was never begun needs no removal.
  if (!ours) return { deployment, outcome: 'left', reason: 'Flywheel did not deploy it' };
  const remover = removerOf(deployers, provider);
  if ('outcome' in remover) return { deployment, ...remover };
  try {
    await remover.remove(deploymentId, { model, baseModel });
    return { deployment, outcome: 'removed', reason: null };
  } catch (error) {
    if (!(error instanceof FlywheelError)) throw error;
    const outcome = error instanceof RejectedError ? 'left' : 'failed';
    return { deployment, outcome, reason: error.message };
  }
}

/** Who removes what Flywheel deployed there, or what becomes of it without anybody. */
export function removerOf(
  deployers: Deployers,
  provider: string,
): Deployer | Pick<Removal, 'outcome' | 'reason'> {
  try {
    return (
      deployers(provider) ?? { outcome: 'left', reason: `Flywheel deploys nothing at ${provider} any more` }
    );
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error;
    const reason = `${provider} is not in candidates.yaml: it can be removed once that is back`;
    return { outcome: 'waiting', reason };
  }
}
