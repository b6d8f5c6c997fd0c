import type { ServingSpec } from '../../domain/experiments/experiment.ts';
import type { Route } from '../../domain/routes/route.ts';
import type { Style } from '../output.ts';
import { moment } from './format.ts';

/** The production model that the application always used, wherever a model's name is asked for. */
export const originalModel = 'original';

/** What `route --json` prints; a public, fixed shape. */
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

export function routeText(view: RouteView, style: Style): string {
  if (view.since === null)
    return `${view.workload} → ${style.bold(view.model)}  (the configured upstream; its traffic was never moved)`;
  return [
    `${view.workload} → ${style.bold(view.model)}  (version ${view.version}, since ${moment(view.since)})`,
    `  before it: ${view.previous ?? originalModel}`,
    `  evidence:  ${view.digest ?? 'none: no approval made this route'}`,
  ].join('\n');
}
