import { removeUnused } from '../../activities/deployments/remove-unused.ts';
import type { Deployers } from '../../activities/ports/deployer.ts';
import type { Lineage } from '../../activities/ports/lineage.ts';
import type { Config } from '../../config/config.ts';
import { runHolder } from '../../domain/deployments/holder.ts';
import { NotFoundError } from '../../domain/errors.ts';
import { openDeployers } from '../../wiring/open-deployers.ts';

/** A run gives its deployments back by itself; one whose workflow was terminated could not. */
export async function releaseEndedRuns(config: Config, { deployments, runs }: Lineage): Promise<void> {
  const holders = new Set((await deployments.list()).flatMap((deployment) => deployment.holders));
  for (const holder of holders) {
    const runId = holder.startsWith(runHolder('')) ? holder.slice(runHolder('').length) : null;
    if (runId !== null && (await hasEnded(runs, runId))) await deployments.release(holder);
  }
  await removeUnused({ deployers: stillConfigured(config), deployments });
}

/** Of a provider that was taken out of candidates.yaml nothing can be removed any more. */
function stillConfigured(config: Config): Deployers {
  const open = openDeployers(config);
  return (provider) => (Object.hasOwn(config.providers, provider) ? open(provider) : null);
}

async function hasEnded(runs: Lineage['runs'], runId: string): Promise<boolean> {
  try {
    return (await runs.view(runId)).status !== 'running';
  } catch (error) {
    if (error instanceof NotFoundError) return true;
    throw error;
  }
}
