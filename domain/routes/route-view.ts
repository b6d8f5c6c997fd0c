import type { ServingSpec } from '../experiments/experiment.ts';
import type { Route } from './route.ts';

/** The production model that the application always used, wherever a model's name is asked for. */
export const originalModel = 'original';

/** What `route --json` prints and the API answers; a public, fixed shape. */
export interface RouteView {
  readonly workload: string;
  readonly model: string;
  /** Absent for a workload whose traffic was never moved. */
  readonly previous?: string;
  readonly digest: string | null;
  readonly since: string | null;
  readonly version: number;
}

export function toRouteView(workload: string, route: Route | null): RouteView {
  if (route === null) return { workload, model: originalModel, digest: null, since: null, version: 0 };
  return {
    workload,
    model: modelOf(route.serving),
    previous: modelOf(route.previous),
    digest: route.digest,
    since: route.since,
    version: route.version,
  };
}

function modelOf(serving: ServingSpec | null): string {
  return serving?.model ?? originalModel;
}
