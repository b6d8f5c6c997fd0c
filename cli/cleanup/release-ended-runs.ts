import type { Lineage } from '../../activities/ports/lineage.ts';
import type { Config } from '../../config/config.ts';
import { runHolder } from '../../domain/deployments/holder.ts';
import { FlywheelError, NotFoundError, RejectedError } from '../../domain/errors.ts';
import { openDeployers } from '../../wiring/open-deployers.ts';

/** A run gives its deployments back by itself; one whose workflow was terminated could not. */
export async function releaseEndedRuns(config: Config, { deployments, runs }: Lineage): Promise<void> {
  const holders = new Set((await deployments.list()).flatMap((deployment) => deployment.holders));
  for (const holder of holders) {
    const runId = holder.startsWith(runHolder('')) ? holder.slice(runHolder('').length) : null;
    if (runId !== null && (await hasEnded(runs, runId))) await deployments.release(holder);
  }
  for (const deployment of await deployments.claimUnused()) {
    const { provider, model, baseModel, deploymentId, ours } = deployment;
    const deployer = Object.hasOwn(config.providers, provider) ? openDeployers(config)(provider) : null;
    try {
      if (ours && deploymentId !== null) await deployer?.remove(deploymentId, { model, baseModel });
      await deployments.forget({ provider, model });
    } catch (error) {
      // What is refused for good is somebody else's; what is away is asked again the next time.
      await (error instanceof RejectedError
        ? deployments.forget(deployment)
        : deployments.unclaim(deployment));
      if (!(error instanceof FlywheelError)) throw error;
    }
  }
}

async function hasEnded(runs: Lineage['runs'], runId: string): Promise<boolean> {
  try {
    return (await runs.view(runId)).status !== 'running';
  } catch (error) {
    if (error instanceof NotFoundError) return true;
    throw error;
  }
}
