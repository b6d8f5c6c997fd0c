/**
 * What a thing at a provider is for, whatever it is called there.
 *
 * - `serving`: by it a model answers: a deployment, or a route to one.
 * - `weights`: a model, or files that may be one's.
 * - `work`: what a training or an evaluation reads, writes or is.
 */
export type ThingRole = 'serving' | 'weights' | 'work';

/** Something that Flywheel made at a provider. */
export interface MadeThing {
  readonly role: ThingRole;
  readonly id: string;
  /** RFC 3339; null where the provider does not tell. */
  readonly createdAt: string | null;
}

export interface InUse {
  /**
   * Ids of models that routes serve or would go back to, that open gates may promote or approved ones are about to,
   * or that are held deployed.
   */
  readonly models: readonly string[];
  /** Ids of runs under way. */
  readonly runs: readonly string[];
}

/**
 * Why a thing stays, or null where nobody needs it any more. Young things stay: what was made minutes ago may be
 * known to nobody yet but the activity that made it.
 */
export function whyKept(thing: MadeThing, inUse: InUse, before: Date): string | null {
  const { role, id, createdAt } = thing;
  if (role !== 'work') {
    const model = inUse.models.find((used) => names(used, id));
    if (model !== undefined) return `${model} is in use`;
  }
  const [run] = inUse.runs;
  if (run !== undefined) return `run ${run} is under way and may need it`;
  if (createdAt === null) return 'its age is not known';
  return new Date(createdAt) < before ? null : `it was made after ${before.toISOString()}`;
}

/** Whether by this thing one of the models, or deployments, answers. */
export function isServedBy({ role, id }: MadeThing, models: readonly string[]): boolean {
  return role === 'serving' && models.some((model) => names(model, id));
}

/** Providers name a deployment by its model and more, and a model with or without what it belongs to. */
function names(model: string, id: string): boolean {
  return model === id || model.endsWith(`/${id}`) || id.endsWith(`/${model}`) || model.startsWith(`${id}#`);
}
