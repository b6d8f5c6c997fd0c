import { setTimeout as sleep } from 'node:timers/promises';
import type { Deployer, Deployment, DeploymentTarget } from '../../activities/ports/deployer.ts';
import { RejectedError } from '../../domain/errors.ts';
import { createFilesClient, type FilesClient } from './files.ts';
import { createModelsClient, type ModelsClient } from './models.ts';
import { isOurs, type Reference, referenceText, toReference } from './names.ts';
import { changeServed, serves, without } from './served-models.ts';
import type { NemoPlatformSettings } from './settings.ts';
import { createTransport } from './transport.ts';

/** The gateway refreshes what it knows every few seconds. */
const forgottenWithinMs = 30_000;

/**
 * Makes adapters answer at the platform's gateway.
 *
 *     adapter (enabled) ─► entry among what a provider serves ─► virtual model, which requests name
 *
 * A provider that finds its models itself (a cluster with the models controller) makes entry and virtual model
 * by itself; then a deployment waits for them. A deployment's id is the name of its virtual model.
 */
export function createDeployer(settings: NemoPlatformSettings): Deployer {
  const transport = createTransport(settings);
  const deployer = new NemoDeployer(settings, createModelsClient(transport), createFilesClient(transport));
  return {
    deploy: (target) => deployer.deploy(target),
    get: (id) => deployer.get(id),
    remove: (id, target) => deployer.remove(id, target),
  };
}

class NemoDeployer {
  readonly #settings: NemoPlatformSettings;
  readonly #models: ModelsClient;
  readonly #files: FilesClient;

  constructor(settings: NemoPlatformSettings, models: ModelsClient, files: FilesClient) {
    this.#settings = settings;
    this.#models = models;
    this.#files = files;
  }

  async deploy(target: DeploymentTarget): Promise<Deployment> {
    const model = this.#referenceOf(target.model);
    const adapter = await this.#models.adapter(model);
    if (adapter === null) return this.#served(model);
    if (adapter.enabled === false) await this.#models.setAdapterEnabled(model, true);
    const upstream = await this.#upstreamOf(adapter.fileset);
    if (upstream !== null) {
      const entry = { model_entity_id: referenceText(model), served_model_name: upstream.servedAs };
      await changeServed(this.#platform, upstream.provider, (served) => [...without(served, model), entry]);
      await this.#models.ensureVirtualModel(model);
    }
    return (await this.get(idOf(model))) ?? pending(model);
  }

  /** Nothing to be made: a base model that somebody registered, or that nobody did. */
  async #served(model: Reference): Promise<Deployment> {
    const found = await this.get(idOf(model));
    if (found) return found;
    throw new RejectedError(
      `${this.#settings.name} has no adapter and no routed model ${referenceText(model)}; register the model there first.`,
      { code: 'model_not_found' },
    );
  }

  /** Gone, too, where only its virtual model is left: nothing would ever come of that. */
  async get(id: string): Promise<Deployment | null> {
    const model = this.#referenceOf(id);
    if ((await this.#models.virtualModel(model)) === null) return null;
    if (await this.#models.isRouted(model)) return { ...pending(model), status: 'ready' };
    return (await this.#lacksEntry(model)) ? null : pending(model);
  }

  /** Whether what we once wrote for it is not among what its provider serves: somebody's list came after ours. */
  async #lacksEntry(model: Reference): Promise<boolean> {
    const adapter = await this.#models.adapter(model);
    const upstream = adapter && (await this.#upstreamOf(adapter.fileset));
    if (upstream === null) return false;
    const provider = await this.#models.provider(upstream.provider);
    return !serves(provider?.served_models ?? [], model);
  }

  /** Everything of it is called after the model, so that what was only begun is found, too. */
  async remove(id: string | null, target: DeploymentTarget): Promise<void> {
    const model = this.#referenceOf(id ?? target.model);
    if (!isOurs(model.name)) {
      if (id === null || (await this.get(id)) === null) return;
      throw new RejectedError(
        `${this.#settings.name}: ${id} was not made by Flywheel, which therefore does not remove it.`,
        { code: 'not_ours' },
      );
    }
    await this.#models.removeVirtualModel(model);
    const adapter = await this.#models.adapter(this.#referenceOf(target.model));
    if (adapter === null) return;
    const upstream = await this.#upstreamOf(adapter.fileset);
    if (upstream) await changeServed(this.#platform, upstream.provider, (served) => without(served, model));
    // Where servers load what is enabled, they unload it.
    await this.#models.setAdapterEnabled(model, false);
    await this.#untilForgotten(model);
  }

  /** Put back at once, it would seem ready by what the gateway still knew of it, and then be gone for a moment. */
  async #untilForgotten(model: Reference): Promise<void> {
    const deadline = Date.now() + forgottenWithinMs;
    while (Date.now() < deadline && !(await this.#models.isForgotten(model))) await sleep(500);
  }

  /** Where the plug-in that trained the adapter noted it; null where providers find adapters themselves. */
  async #upstreamOf(fileset: string): Promise<{ provider: Reference; servedAs: string } | null> {
    const { workspace, name } = this.#referenceOf(fileset);
    const { provider, served_model_name: servedAs } =
      (await this.#files.get(workspace, name))?.custom_fields ?? {};
    if (typeof provider !== 'string' || typeof servedAs !== 'string') return null;
    return { provider: this.#referenceOf(provider), servedAs };
  }

  get #platform() {
    return { models: this.#models, platform: this.#settings.name };
  }

  #referenceOf(text: string): Reference {
    return toReference(text, this.#settings.workspace);
  }
}

function idOf(model: Reference): string {
  return referenceText(model);
}

function pending(model: Reference): Deployment {
  return { id: idOf(model), status: 'pending', ours: isOurs(model.name), error: null };
}
