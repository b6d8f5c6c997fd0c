import type { Deployer, Deployment, DeploymentTarget } from '../ports/deployer.ts';
import type { DeploymentLineage, ProviderModel } from '../ports/deployment-lineage.ts';

export interface DeployForPorts {
  readonly deployer: Deployer;
  readonly deployments: Pick<DeploymentLineage, 'begin' | 'recordDeployment'>;
}

/**
 * Asks for the deployment once, for the holder: noted before, so that what is made is ours whoever dies, and what it
 * came to after. Idempotent. null where the holder has given it back: then nothing is made.
 */
export async function deployFor(
  { deployer, deployments }: DeployForPorts,
  holder: string,
  { provider, model, baseModel }: DeploymentTarget & ProviderModel,
): Promise<Deployment | null> {
  if (!(await deployments.begin({ provider, model }, holder))) return null;
  const deployment = await deployer.deploy({ model, baseModel });
  await deployments.recordDeployment({ provider, model, baseModel }, deployment);
  return deployment;
}
