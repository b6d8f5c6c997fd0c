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
  /** Its name there; of a model, the id that requests name. */
  readonly id: string;
  /** RFC 3339 as the provider tells it; null where it does not. */
  readonly createdAt: string | null;
  /** The run that made it, by its name or metadata; null where neither tells. */
  readonly runId: string | null;
  /** Ids of the models that it was made to serve, where its own id names none and it notes them. */
  readonly serves?: readonly string[];
}

/** What this Flywheel's database knows. */
export interface Known {
  readonly runs: readonly string[];
  /** Ids of models that were trained, or are deployed. */
  readonly models: readonly string[];
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

/**
 * Why a thing of Flywheel's is taken for another Flywheel's, which has a database of its own; null for ours. Two may
 * share a namespace, and the names that they give. What tells no run and holds no model is nobody's: it is named by
 * its content, and whoever needs it makes it again.
 */
export function whyForeign({ role, id, runId, serves }: MadeThing, known: Known): string | null {
  const strangers =
    runId !== null
      ? [runId].filter((run) => !known.runs.includes(run))
      : (role === 'work' ? [] : (serves ?? [id])).filter(
          (one) => !known.models.some((own) => names(own, one)),
        );
  if (strangers.length === 0) return null;
  return `this database does not know ${strangers.join(', ')}: another Flywheel’s, or of an earlier database`;
}

/** Whether by this thing one of the models, or deployments, answers. */
export function isServedBy({ role, id }: MadeThing, models: readonly string[]): boolean {
  return role === 'serving' && models.some((model) => names(model, id));
}

/** Providers name a deployment by its model and more, and a model with or without what it belongs to. */
function names(model: string, id: string): boolean {
  return model === id || model.endsWith(`/${id}`) || id.endsWith(`/${model}`) || model.startsWith(`${id}#`);
}
