/** One question that a provider is asked before anything rests on it. Asking changes nothing there. */
export interface Check {
  /** What has to be so, as it is shown: `serves nano-1m`. */
  readonly asked: string;
  /** Rejects with what was found instead. */
  ask(): Promise<unknown>;
  /** What to do about it, where that is more than to correct the provider's entry in candidates.yaml. */
  readonly mend?: string;
}

/**
 * What a run would need of a provider, service by service, so that a wrong name or address is known before the
 * first run. Only `flywheel candidates check` asks: runs find out by what they do.
 */
export interface ProviderChecks {
  /** To have the base model answer, or be deployed; with `adapters`, also those that are trained on it. */
  serving(baseModel: string, needs: { readonly adapters: boolean }): readonly Check[];
  /** To train an adapter on the base model. */
  training(baseModel: string): readonly Check[];
  /** To have the provider's own evaluator ask and score; empty where Flywheel does that. */
  evaluating(): readonly Check[];
}

/** Checks by provider name. Throws `NotFoundError` naming the configured ones. */
export type ProviderChecksBy = (provider: string) => ProviderChecks;
