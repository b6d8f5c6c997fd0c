import type { Table } from './crud.ts';
import { createDataStore, type DataStore } from './data-store/repos.ts';
import { createModelServer, type ModelServer } from './model-server.ts';

/** A base model that can be customized and deployed. */
export interface BaseModel {
  /** The id of its NIM, such as `flywheel/nano-1m`. */
  readonly id: string;
  /** What the model server calls it. */
  readonly servedAs: string;
  readonly numParameters: number;
  /** Longest context, in tokens. */
  readonly contextSize: number;
}

export interface WorldOptions {
  readonly modelServerUrl: string;
  readonly bases: readonly BaseModel[];
  /** Ids of bases that a NIM serves from the start, deployed by somebody else. */
  readonly deployed: readonly string[];
  /** How often a NIM asks the Entity Store for adapters. Real ones take 60 to 180 s. */
  readonly refreshMs: number;
  /** How long each step of a deployment takes. */
  readonly deployStepMs: number;
  /** How long pods live on after their deployment was deleted. */
  readonly undeployMs: number;
  /** How long each stage of a job takes beyond its work: pulling images, claiming volumes. */
  readonly stageMs: number;
  /** How long a cancelled job is seen as `cancelling`. */
  readonly cancelMs: number;
  /**
   * As NVIDIA's blueprint needs it: an evaluation is never `pending`, which the blueprint takes for a failure, and
   * the path that it cancels customizations by, which no release serves, is served.
   */
  readonly forBlueprint: boolean;
}

/** What the server is told to do wrong, once each unless said. For tests. */
export interface Faults {
  /** The next customization ends as failed with every step done. */
  failTrainingAtEnd: boolean;
  /** A customization that fails says why in its container logs alone: as its error, or as an event of a pod. Lasts. */
  reasonOnlyIn: 'error' | 'event' | null;
  /** No node is free while this is set: jobs stay `pending`, evaluations for the blueprint `created`. Lasts. */
  noNodeFree: boolean;
  /** Jobs of these kinds do not end: with their work done they stay `running` while theirs is in here. Lasts. */
  readonly unending: Set<'customization' | 'evaluation'>;
  /** Jobs that are cancelled stay `cancelling` while this is set. Lasts. */
  slowToCancel: boolean;
  /** Calls that are answered so, once for each time; with `afterwards` they are done first, and the reply is lost. */
  refusals: {
    method?: string;
    path: string;
    status: number;
    retryAfter?: string;
    afterwards?: boolean;
    times: number;
  }[];
}

/** Everything that the services share. */
export interface World {
  readonly options: WorldOptions;
  readonly modelServer: ModelServer;
  readonly dataStore: DataStore;
  readonly tables: Readonly<Record<TableName, Table>>;
  readonly faults: Faults;
  /** Requests that NIMs got through their proxy, oldest first: by whose deployment, and for which model. */
  readonly asked: { readonly deployment: string; readonly model: string }[];
  /** Aborted when the server closes: whatever runs ends. */
  readonly closed: AbortSignal;
  /** Work that outlives its request. */
  run(work: Promise<unknown>): void;
  /** Resolves when none of it is under way any more. */
  idle(): Promise<void>;
}

const tableNames = [
  'namespaces',
  'projects',
  'datasets',
  'models',
  'customizationTargets',
  'customizationConfigs',
  'evaluationConfigs',
  'evaluationTargets',
  'deploymentConfigs',
  'deployments',
] as const;
type TableName = (typeof tableNames)[number];

export function createWorld(options: WorldOptions, closed: AbortSignal): World {
  const tables = Object.fromEntries(tableNames.map((name) => [name, new Map()])) as Record<TableName, Table>;
  const underWay = new Set<Promise<unknown>>();
  return {
    options,
    closed,
    modelServer: createModelServer(options.modelServerUrl),
    dataStore: createDataStore(),
    tables,
    asked: [],
    faults: {
      failTrainingAtEnd: false,
      reasonOnlyIn: null,
      noNodeFree: false,
      unending: new Set(),
      slowToCancel: false,
      refusals: [],
    },
    run(work) {
      const done = work
        .catch((error: unknown) => {
          if (!closed.aborted) console.error(error);
        })
        .finally(() => underWay.delete(done));
      underWay.add(done);
    },
    async idle() {
      while (underWay.size > 0) await Promise.all(underWay);
    },
  };
}
