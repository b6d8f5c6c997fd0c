import { activityInfo, log } from '@temporalio/activity';
import { routeHolder, runHolder } from '../domain/deployments/holder.ts';
import { UnavailableError } from '../domain/errors.ts';
import { removeUnused } from './deployments/remove-unused.ts';
import { keepAlive } from './keep-alive.ts';
import type { Deployers } from './ports/deployer.ts';
import { claimLastsMs, type DeploymentLineage } from './ports/deployment-lineage.ts';
import type { Lineage } from './ports/lineage.ts';

export interface ReleaseModelsPorts {
  readonly deployers: Deployers;
  readonly lineage: {
    readonly deployments: Pick<
      DeploymentLineage,
      'release' | 'keptForMs' | 'claimUnused' | 'renewClaim' | 'unclaim' | 'forget' | 'list'
    >;
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
    return giveBack();
  }

  /**
   * The route keeps what it serves and what a rollback would serve; what it has left, for a time of grace:
   * `keptForMs`, absent where nothing is kept. With `onlyExpired` nothing is released that was not: a move that is
   * under way may just have deployed it.
   */
  async function releaseRouteModels({
    workloadId,
    onlyExpired = false,
  }: {
    readonly workloadId: string;
    readonly onlyExpired?: boolean;
  }): Promise<{ removed: string[]; keptForMs?: number }> {
    const holder = routeHolder(workloadId);
    if (!onlyExpired) {
      const route = await routes.get(workloadId);
      const except = [route?.serving, route?.previous].filter((serving) => serving != null);
      await deployments.release(holder, { except, keepMs: retirementGraceMs });
    }
    const { removed } = await giveBack();
    const keptForMs = await deployments.keptForMs(holder);
    return { removed, ...(keptForMs !== null && { keptForMs }) };
  }

  async function giveBack(): Promise<{ removed: string[] }> {
    const removed: string[] = [];
    const failures: string[] = [];
    await keepAlive(
      () => ({ removed }),
      async () => {
        await removeUnused({ deployers, deployments }, ({ deployment: { model, ours }, outcome, reason }) => {
          if (outcome === 'failed') failures.push(reason ?? model);
          // Another attempt changes nothing about what waits for its provider: nobody fails for it.
          else if (outcome !== 'waiting') removed.push(model);
          if (ours && outcome !== 'removed')
            log.warn('A deployment is not removed', { model, outcome, reason });
        });
      },
    );
    if (failures.length > 0) throw new UnavailableError(failures.join(' '));
    await finishEarlierAttempt();
    return { removed };
  }

  /** One that died while it was removing has left its claims behind, which are nobody else's for some minutes. */
  async function finishEarlierAttempt(): Promise<void> {
    if (activityInfo().attempt === 1) return;
    const claimed = (await deployments.list()).filter(({ ours, removing }) => ours && removing);
    if (claimed.length === 0) return;
    throw new UnavailableError(`Still being removed: ${claimed.map(({ model }) => model).join(', ')}.`, {
      kind: 'busy',
      retryAfterMs: claimLastsMs,
    });
  }

  return { releaseRunModels, releaseRouteModels };
}
