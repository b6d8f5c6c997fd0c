/** Something that Flywheel made at a provider. */
export interface MadeThing {
  readonly kind: string;
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

/** What serves a model. All else is what a training or an evaluation reads, writes or is. */
const servingKinds: readonly string[] = ['deployment', 'model', 'virtual model', 'adapter', 'fileset'];

/**
 * Why a thing stays, or null where nobody needs it any more. Young things stay: what was made minutes ago may be
 * known to nobody yet but the activity that made it.
 */
export function whyKept(thing: MadeThing, inUse: InUse, before: Date): string | null {
  const { kind, id, createdAt } = thing;
  if (servingKinds.includes(kind)) {
    const model = inUse.models.find((used) => names(used, id));
    if (model !== undefined) return `${model} is in use`;
  }
  const [run] = inUse.runs;
  if (run !== undefined) return `run ${run} is under way and may need it`;
  if (createdAt === null) return 'its age is not known';
  return new Date(createdAt) < before ? null : `it was made after ${before.toISOString()}`;
}

/** Whether the thing is a deployment (or a route to one) by which one of the models, or deployments, answers. */
export function isServedBy({ kind, id }: MadeThing, models: readonly string[]): boolean {
  return ['deployment', 'virtual model'].includes(kind) && models.some((model) => names(model, id));
}

/** Providers name a deployment by its model and more, and a model with or without its workspace. */
function names(model: string, id: string): boolean {
  return model === id || model.endsWith(`/${id}`) || id.endsWith(`/${model}`) || model.startsWith(`${id}#`);
}
