import { log } from '@temporalio/activity';
import { routeHolder, runHolder } from '../domain/deployments/holder.ts';
import { FlywheelError, RejectedError } from '../domain/errors.ts';
import { keepAlive } from './keep-alive.ts';
import type { Deployers } from './ports/deployer.ts';
import type { DeploymentLineage, RecordedDeployment } from './ports/deployment-lineage.ts';
import type { Lineage } from './ports/lineage.ts';

export interface ReleaseModelsPorts {
  readonly deployers: Deployers;
  readonly lineage: {
    readonly deployments: Pick<DeploymentLineage, 'release' | 'claimUnused' | 'unclaim' | 'forget'>;
    readonly routes: Pick<Lineage['routes'], 'get'>;
  };
  /** How long a model that a route has left stays deployed. */
  readonly retirementGraceMs: number;
}

/** Gives deployments back once nobody needs them. Each step is idempotent, and finishes what another left. */
export function createReleaseModels({ deployers, lineage, retirementGraceMs }: ReleaseModelsPorts) {
  const { deployments, routes } = lineage;

  async function releaseRunModels({ runId }: { readonly runId: string }): Promise<{ removed: string[] }> {
    await deployments.release(runHolder(runId));
    return removeUnused();
  }

  /** The route keeps what it serves and what a rollback would serve. */
  async function releaseRouteModels({
    workloadId,
  }: {
    readonly workloadId: string;
  }): Promise<{ removed: string[] }> {
    const route = await routes.get(workloadId);
    const except = [route?.serving, route?.previous].filter((serving) => serving != null);
    await deployments.release(routeHolder(workloadId), { except, keepMs: retirementGraceMs });
    return removeUnused();
  }

  /** One that cannot be removed now does not keep the others. */
  async function removeUnused(): Promise<{ removed: string[] }> {
    const removed: string[] = [];
    const failures: unknown[] = [];
    await keepAlive(
      () => ({ removed }),
      async () => {
        for (const deployment of await deployments.claimUnused()) {
          try {
            await remove(deployment);
            removed.push(deployment.model);
          } catch (error) {
            await deployments.unclaim(deployment);
            if (!(error instanceof FlywheelError)) throw error;
            log.warn('A deployment could not be removed', { model: deployment.model, reason: error.message });
            failures.push(error);
          }
        }
      },
    );
    if (failures.length > 0) throw failures[0];
    return { removed };
  }

  async function remove({
    provider,
    model,
    baseModel,
    deploymentId,
    ours,
  }: RecordedDeployment): Promise<void> {
    // What others made is theirs, and what was never made needs no removal.
    if (ours && deploymentId !== null) {
      await deployers(provider)
        ?.remove(deploymentId, { model, baseModel })
        .catch((error: unknown) => {
          // Refused for good: somebody took it over. Kept in the books it would be in everybody's way for ever.
          if (!(error instanceof RejectedError)) throw error;
          log.warn('A deployment is left to whoever has it now', { model, reason: error.message });
        });
    }
    await deployments.forget({ provider, model });
  }

  return { releaseRunModels, releaseRouteModels };
}
