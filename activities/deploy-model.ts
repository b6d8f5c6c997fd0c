import { RejectedError, UnavailableError } from '../domain/errors.ts';
import type { ServingSpec } from '../domain/experiments/experiment.ts';
import { deployFor } from './deployments/deploy-for.ts';
import { removeUnused } from './deployments/remove-unused.ts';
import { pause } from './pause.ts';
import type { Deployers, Deployment, DeploymentTarget } from './ports/deployer.ts';
import type { DeploymentLineage, ProviderModel } from './ports/deployment-lineage.ts';
import type { Lineage } from './ports/lineage.ts';

export interface DeployModelPorts {
  readonly deployers: Deployers;
  readonly lineage: {
    readonly deployments: Pick<
      DeploymentLineage,
      'hold' | 'begin' | 'recordDeployment' | 'list' | 'claimUnused' | 'renewClaim' | 'unclaim' | 'forget'
    >;
    readonly experiments: Pick<Lineage['experiments'], 'baseModelOf'>;
  };
}

export interface DeployTiming {
  readonly pollMs: number;
  /** Pulling an image of tens of gigabytes and loading its weights takes up to half an hour. */
  readonly patienceMs: number;
}

export const defaultDeployTiming: DeployTiming = { pollMs: 5_000, patienceMs: 60 * 60_000 };

/**
 * Has the provider deploy the model, and keeps it so for the holder until that is released. True once it is
 * ready; false, having done nothing, where the provider serves its models by itself.
 */
export async function deployModel(
  ports: DeployModelPorts,
  { serving, holder }: { readonly serving: ServingSpec; readonly holder: string },
  { timing, signal }: { readonly timing: DeployTiming; readonly signal: AbortSignal },
): Promise<boolean> {
  const { provider, model } = serving;
  const deployer = ports.deployers(provider);
  if (deployer === null) return false;
  const { deployments, experiments } = ports.lineage;
  const target = { model, baseModel: await experiments.baseModelOf(provider, model) };
  // Before anything is made: what dies from here on leaves a hold behind, whose end leads to the deployment.
  await deployments.hold({ provider, ...target }, holder).catch(async (error: unknown) => {
    // Whoever was removing it may have died: that is finished here, and the next attempt holds it.
    if (error instanceof UnavailableError) await removeUnused({ deployers: ports.deployers, deployments });
    throw error;
  });
  const deadline = Date.now() + timing.patienceMs;
  for (;;) {
    // Asked for anew each time: idempotent, and somebody may have removed it meanwhile.
    const deployment = await deployFor({ deployer, deployments }, holder, { provider, ...target });
    if (deployment === null) throw givenBack(provider, target);
    if (deployment.status === 'ready') return true;
    if (deployment.status === 'failed') {
      // Whoever else needs it may be served by it again in a moment; alone, we begin anew next time.
      if (deployment.ours && (await isAlone(deployments, { provider, model }, holder)))
        await deployer.remove(deployment.id, target);
      throw failed(provider, target, deployment);
    }
    if (Date.now() >= deadline) throw tooLate(provider, deployment, timing);
    await pause(timing.pollMs, signal);
  }
}

async function isAlone(
  deployments: Pick<DeploymentLineage, 'list'>,
  { provider, model }: ProviderModel,
  holder: string,
): Promise<boolean> {
  const held = (await deployments.list()).find((one) => one.provider === provider && one.model === model);
  return held === undefined || held.holders.every((one) => one === holder);
}

function failed(provider: string, { model }: DeploymentTarget, { id, error }: Deployment): RejectedError {
  return new RejectedError(
    `${provider} could not deploy ${model} (${id}): ${error ?? 'it gives no reason'}.`,
    { code: 'deployment_failed' },
  );
}

/** An attempt that its run has long given up on, or a release that crossed our way: the next attempt holds anew. */
function givenBack(provider: string, { model }: DeploymentTarget): UnavailableError {
  return new UnavailableError(`${model} at ${provider} was given back while it was being deployed.`, {
    kind: 'busy',
  });
}

function tooLate(provider: string, { id }: Deployment, { patienceMs }: DeployTiming): RejectedError {
  return new RejectedError(
    `The deployment ${id} at ${provider} is not ready after ${Math.round(patienceMs / 60_000)} minutes. ` +
      'Look there whether it waits for a GPU or an image, then run the workload again.',
    { code: 'deployment_too_slow' },
  );
}
