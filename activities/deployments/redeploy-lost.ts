import { isRouteHolder } from '../../domain/deployments/holder.ts';
import { FlywheelError, UnavailableError } from '../../domain/errors.ts';
import type { Deployers } from '../ports/deployer.ts';
import type { DeploymentLineage, RecordedDeployment } from '../ports/deployment-lineage.ts';
import { deployFor } from './deploy-for.ts';

export interface RedeployLostPorts {
  readonly deployers: Deployers;
  readonly deployments: Pick<DeploymentLineage, 'list' | 'begin' | 'recordDeployment'>;
}

export interface Redeployed {
  readonly provider: string;
  readonly model: string;
  /** Why it is not there again; null where it is, or is being made. */
  readonly problem: string | null;
}

/**
 * Deploys again what a route needs and its provider has lost: a server that keeps adapters in memory was started
 * anew, or somebody removed a deployment. What is there is left as it is, but for what has failed: that is asked for
 * again, and is a problem where it has failed for good. One that cannot be deployed now does not keep the others.
 * Idempotent, and harmless beside others that do the same.
 */
export async function redeployLost(ports: RedeployLostPorts): Promise<readonly Redeployed[]> {
  const redeployed: Redeployed[] = [];
  for (const deployment of await ports.deployments.list()) {
    const { provider, model } = deployment;
    try {
      if (await redeployOne(ports, deployment)) redeployed.push({ provider, model, problem: null });
    } catch (error) {
      if (!(error instanceof FlywheelError)) throw error;
      redeployed.push({ provider, model, problem: error.message });
    }
  }
  return redeployed;
}

/** Whether anything had to be done. Throws a `FlywheelError` where it could not be. */
async function redeployOne(
  { deployers, deployments }: RedeployLostPorts,
  { provider, model, baseModel, deploymentId, ours, removing, holders }: RecordedDeployment,
): Promise<boolean> {
  const holder = holders.find(isRouteHolder);
  // What others made is theirs to keep, and what was never told of is still being made by a move.
  if (holder === undefined || !ours || removing || deploymentId === null) return false;
  const deployer = deployers(provider);
  if (deployer === null) return false;
  const there = await deployer.get(deploymentId);
  if (there !== null && there.status !== 'failed') return false;
  const deployment = await deployFor({ deployer, deployments }, holder, { provider, model, baseModel });
  if (deployment === null) return false;
  if (deployment.status !== 'failed') return true;
  // An adapter that was loaded and is not applied, say: the next look would find it there, and the route be answered.
  if (there === null && deployment.ours) await deployer.remove(deployment.id, { model, baseModel });
  throw new UnavailableError(
    `${provider} could not deploy ${model}: ${deployment.error ?? 'it gives no reason'}.`,
  );
}
