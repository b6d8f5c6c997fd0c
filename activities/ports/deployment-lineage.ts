import type { Deployment, DeploymentTarget } from './deployer.ts';

/** A claim of somebody who must have died: longer than one attempt at giving back may take (`workflows/activity-options.ts`). */
export const claimLastsMs = 6 * 60_000;

/** A model at a provider. */
export interface ProviderModel {
  readonly provider: string;
  readonly model: string;
}

export interface RecordedDeployment extends DeploymentTarget, ProviderModel {
  /** The provider's name of it; null where none was told yet. */
  readonly deploymentId: string | null;
  /** Whether Flywheel made it, or has begun to. */
  readonly ours: boolean;
  readonly removing: boolean;
  /** Whether whoever was removing it must have died: the next one may claim it. */
  readonly abandoned: boolean;
  /** Who needs it, oldest first: `run:<runId>` or `route:<workloadId>`. */
  readonly holders: readonly string[];
}

/** A deployment that its claimant is to remove. */
export interface ClaimedDeployment extends RecordedDeployment {
  /** Of this claim alone: whoever was too slow has lost it to the next one, who has another. */
  readonly claim: string;
}

/** That a holder needs a model deployed. */
export interface Hold extends ProviderModel {
  readonly holder: string;
}

/**
 * Who needs which deployment. A model stays deployed while anybody holds it, and an adapter's base model while
 * anybody holds the adapter; nothing else is counted anywhere.
 */
export interface DeploymentLineage {
  /** Idempotent. Throws `UnavailableError` while what is asked for is being removed: a moment later it can be made anew. */
  hold(target: DeploymentTarget & ProviderModel, holder: string): Promise<void>;
  /**
   * It is about to be deployed for the holder: from here on something of ours may be there, whether or not anybody
   * lives to tell its name. False where the holder has given it back meanwhile: then nothing may be made.
   */
  begin(key: ProviderModel, holder: string): Promise<boolean>;
  /** What the provider made for it. Where everybody has given it back meanwhile, it is there to be claimed. */
  recordDeployment(
    target: DeploymentTarget & ProviderModel,
    deployment: Pick<Deployment, 'id' | 'ours'>,
  ): Promise<void>;
  /** The holder needs its models no more, but for `except`; they stay for `keepMs` all the same. Idempotent. */
  release(
    holder: string,
    options?: { readonly keepMs?: number; readonly except?: readonly ProviderModel[] },
  ): Promise<void>;
  /**
   * Marks what nobody holds as being removed, adapters before their base models, and returns it with what another
   * caller marked `staleMs` ago (`claimLastsMs` unless said) and did not finish: it must have died. From then on
   * nobody can hold it until `forget` or `unclaim`.
   */
  claimUnused(options?: { readonly staleMs?: number }): Promise<readonly ClaimedDeployment[]>;
  /**
   * The claim, begun anew: asked right before a removal. null where another caller has taken it over meanwhile: what
   * is there now may have been deployed since, for somebody who needs it.
   */
  renewClaim(claimed: ClaimedDeployment): Promise<ClaimedDeployment | null>;
  /** It could not be removed now: it may be held again, and claimed again. Nothing where the claim was lost. */
  unclaim(claimed: ClaimedDeployment): Promise<void>;
  /**
   * It is gone from the provider, or left to others. Only as it was claimed: what was made since stays in the books,
   * and so does everything where the claim was lost.
   */
  forget(claimed: ClaimedDeployment): Promise<void>;
  /** For how many milliseconds from now the last of what the holder has released is kept; null where nothing is. */
  keptForMs(holder: string): Promise<number | null>;
  /**
   * Holds that nothing accounts for: of runs that are not under way, and of routes that neither serve the model, nor
   * would go back to it, nor may yet be moved to it. `over`: ids of runs that count as ended, with whatever they found.
   */
  strayHolds(over: readonly string[]): Promise<readonly Hold[]>;
  /** Releases them, and tells which. */
  releaseStrayHolds(over: readonly string[]): Promise<readonly Hold[]>;
  /** By provider, then model. */
  list(): Promise<readonly RecordedDeployment[]>;
}
