import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Deployer, Deployment, DeploymentTarget } from '../../activities/ports/deployer.ts';

export interface DeployerSetup {
  readonly deployer: Deployer;
  /** What the provider could serve and does not yet. Nobody else touches it. */
  readonly target: DeploymentTarget;
  /** Whether the model, by its id, answers a chat request right now. */
  answers(model: string): Promise<boolean>;
  /** Two targets on one deployment (adapters of one base), where the provider has such; neither deployed yet. */
  readonly sharing?: readonly [DeploymentTarget, DeploymentTarget];
  /** What somebody else deployed and still uses, where the provider can tell. */
  readonly foreign?: DeploymentTarget;
  /** What is accepted and then fails to start, where the provider has such. */
  readonly broken?: DeploymentTarget;
}

/** A base model may have to be loaded. */
const deploymentTimeoutMs = 600_000;
/** What was taken off may live on for a while. */
const goneWithinMs = 120_000;

/** What every deployer does. Whatever a test deployed is removed after it. */
export function describeDeployer(
  name: string,
  setup: () => Promise<DeployerSetup>,
  /** Which of the optional targets `setup` gives. */
  can: { readonly sharing?: boolean; readonly foreign?: boolean; readonly broken?: boolean } = {},
): void {
  describe(`${name} as a deployer`, { timeout: deploymentTimeoutMs }, () => {
    let bundle: DeployerSetup;
    let deployed: { id: string; target: DeploymentTarget }[];
    beforeEach(async () => {
      bundle = await setup();
      deployed = [];
    }, deploymentTimeoutMs);
    afterEach(async () => {
      for (const { id, target } of deployed) await bundle.deployer.remove(id, target);
    }, deploymentTimeoutMs);

    async function deploy(target: DeploymentTarget): Promise<Deployment> {
      const deployment = await bundle.deployer.deploy(target);
      if (deployment.ours) deployed.push({ id: deployment.id, target });
      return deployment;
    }

    /** The deployment once it is ready or has failed, as `get` tells. */
    async function settled(id: string): Promise<Deployment> {
      for (;;) {
        const deployment = await bundle.deployer.get(id);
        if (deployment === null) throw new Error(`deployment ${id} is gone`);
        if (deployment.status !== 'pending') return deployment;
        await setTimeout(500);
      }
    }

    it('makes a model answer, and not before it says so', async () => {
      const { target } = bundle;
      expect(await bundle.answers(target.model)).toBe(false);

      const { id } = await deploy(target);
      const ready = await settled(id);

      expect(ready).toEqual({ id, status: 'ready', ours: true, error: null });
      expect(await bundle.answers(target.model)).toBe(true);
    });

    it('has one deployment, however often it is asked', async () => {
      const { target } = bundle;

      const atOnce = await Promise.all([deploy(target), deploy(target)]);
      const { id } = await deploy(target);
      await settled(id);
      const afterwards = await deploy(target);

      expect(atOnce.map((one) => one.id)).toEqual([id, id]);
      expect(afterwards).toEqual({ id, status: 'ready', ours: true, error: null });
    });

    it('takes a model off, which is harmless to do twice', async () => {
      const { target, deployer } = bundle;
      const { id } = await deploy(target);
      await settled(id);

      await deployer.remove(id, target);

      await expect.poll(() => deployer.get(id), { timeout: goneWithinMs }).toBeNull();
      await expect.poll(() => bundle.answers(target.model), { timeout: goneWithinMs }).toBe(false);
      await deployer.remove(id, target);
    });

    it('takes a model off whose id nobody lived to tell, and nothing where there is none', async () => {
      const { target, deployer } = bundle;
      await deployer.remove(null, target);
      const { id } = await deploy(target);
      await settled(id);

      await deployer.remove(null, target);

      await expect.poll(() => deployer.get(id), { timeout: goneWithinMs }).toBeNull();
      await expect.poll(() => bundle.answers(target.model), { timeout: goneWithinMs }).toBe(false);
    });

    it('takes a model off while it is still starting', async () => {
      const { target, deployer } = bundle;
      const { id } = await deploy(target);

      await deployer.remove(id, target);

      await expect.poll(() => deployer.get(id), { timeout: goneWithinMs }).toBeNull();
    });

    it('puts back what it took off', async () => {
      const { target, deployer } = bundle;
      const first = await deploy(target);
      await settled(first.id);
      await deployer.remove(first.id, target);

      const again = await deploy(target);

      expect(await settled(again.id)).toMatchObject({ status: 'ready', ours: true });
      expect(await bundle.answers(target.model)).toBe(true);
    });

    it('does not know a deployment that was never made', async () => {
      const { target, deployer } = bundle;
      const { id } = await deploy(target);
      await settled(id);
      await deployer.remove(id, target);
      await expect.poll(() => deployer.get(id), { timeout: goneWithinMs }).toBeNull();

      expect(await deployer.get(`${id}-never-made`)).toBeNull();
      await deployer.remove(`${id}-never-made`, { ...target, model: `${target.model}-never-made` });
    });

    if (can.sharing)
      it('keeps what a deployment still serves when another model leaves it', async () => {
        const [leaving, staying] = given(bundle.sharing);
        const first = await deploy(leaving);
        const second = await deploy(staying);
        await settled(first.id);
        await settled(second.id);

        await bundle.deployer.remove(first.id, leaving);
        await bundle.deployer.remove(null, leaving);

        expect(await settled(second.id)).toMatchObject({ status: 'ready' });
        expect(await bundle.answers(staying.model)).toBe(true);
        await bundle.deployer.remove(second.id, staying);
        await expect.poll(() => bundle.answers(staying.model), { timeout: goneWithinMs }).toBe(false);
      });

    if (can.foreign)
      it('uses what others deployed, and refuses to remove it', async () => {
        const { deployer } = bundle;
        const foreign = given(bundle.foreign);

        const { id, ours } = await deploy(foreign);
        const ready = await settled(id);
        const removing = deployer.remove(id, foreign);

        expect(ours).toBe(false);
        expect(ready).toMatchObject({ status: 'ready', ours: false });
        await expect(removing).rejects.toMatchObject({ name: 'RejectedError' });
        await deployer.remove(null, foreign);
        expect(await deployer.get(id)).toEqual(ready);
        expect(await bundle.answers(foreign.model)).toBe(true);
      });

    if (can.broken)
      it('says that a deployment failed, and why', async () => {
        const { id } = await deploy(given(bundle.broken));
        const ended = await settled(id);

        expect(ended).toMatchObject({ id, status: 'failed', ours: true });
        expect(ended.error).toMatch(/\w/);
      });
  });
}

function given<T>(target: T | undefined): T {
  if (target === undefined) throw new Error('the setup does not give what it says it can');
  return target;
}
