/** What has to answer before anything can be asked of it. */
export interface DeploymentTarget {
  /** The id that requests name: a base model's, or an adapter's. */
  readonly model: string;
  /** The base model that an adapter stands on; null when `model` is a base model itself. */
  readonly baseModel: string | null;
}

export type DeploymentStatus = 'pending' | 'ready' | 'failed';

export interface Deployment {
  /** The provider's name of it; what `get` and `remove` take. */
  readonly id: string;
  readonly status: DeploymentStatus;
  /** Whether Flywheel made it. What others made is used and never removed. */
  readonly ours: boolean;
  /** Why it failed, in the provider's words; null otherwise. */
  readonly error: string | null;
}

/**
 * Makes models answer, where a provider does not serve them by itself. Who still needs a deployment is
 * Flywheel's to know (`lineage.deployments`), not the provider's. Suite: `test/contracts/deployer.contract.ts`.
 */
export interface Deployer {
  /** The deployment that serves the target, made if there is none. Idempotent: however often called, there is one. */
  deploy(target: DeploymentTarget): Promise<Deployment>;
  /** null when it is gone. */
  get(id: string): Promise<Deployment | null>;
  /**
   * Takes the target off: an adapter is unloaded, a base model's deployment removed. Asked for once nobody needs
   * the target, of a base model once nobody needs an adapter on it either. Harmless when it is gone already;
   * throws `RejectedError` for a deployment that Flywheel did not make.
   *
   * Without an id: whatever of ours there is for the target, whole or half made, found by its name or mark. Its
   * maker died before it could tell the id. What others made is then left alone without a word.
   */
  remove(id: string | null, target: DeploymentTarget): Promise<void>;
}

/** Deployers by provider name; null where the provider serves its models by itself. */
export type Deployers = (provider: string) => Deployer | null;
