import type { ThingRole } from '../../domain/deployments/cleanup.ts';

/** Something that Flywheel made at a provider and that stays there until it is removed. */
export interface KeptThing {
  /** What it is, in the provider's words: `deployment`, `model`, `dataset`, … */
  readonly kind: string;
  readonly role: ThingRole;
  /** Its name there; of a model, the id that requests name. */
  readonly id: string;
  /** RFC 3339 as the provider tells it; null where it does not. */
  readonly createdAt: string | null;
  /** The run that made it, by its name or metadata; null where neither tells. */
  readonly runId: string | null;
  /** Ids of the models that Flywheel had it serve, where the thing notes them. */
  readonly serves?: readonly string[];
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

/** Inventories by provider name; null where nothing is kept. */
export type Inventories = (provider: string) => Inventory | null;
