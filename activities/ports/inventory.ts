import type { MadeThing } from '../../domain/deployments/cleanup.ts';

/** Something that Flywheel made at a provider and that stays there until it is removed. */
export interface KeptThing extends MadeThing {
  /** What it is, in the provider's words: `deployment`, `model`, `dataset`, … */
  readonly kind: string;
}

/**
 * What Flywheel made at a provider and nobody else's. Whether a thing is still needed is Flywheel's to know, not
 * the provider's: a route may point to a model, a run may read a dataset.
 */
export interface Inventory {
  /** In an order in which they can be removed: what serves a model before the model. */
  list(): AsyncIterable<KeptThing>;
  /** Harmless when it is gone; throws `RejectedError` for what Flywheel did not make. */
  remove(thing: Pick<KeptThing, 'kind' | 'id'>): Promise<void>;
}

/** Inventories by provider name; null where nothing is kept, or nothing of it can be listed. */
export type Inventories = (provider: string) => Inventory | null;
