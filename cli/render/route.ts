import { originalModel, type RouteView } from '../../domain/routes/route-view.ts';
import type { Style } from '../output.ts';
import { moment } from './format.ts';

export function routeText(view: RouteView, style: Style): string {
  if (view.since === null)
    return `${view.workload} → ${style.bold(view.model)}  (the configured upstream; its traffic was never moved)`;
  return [
    `${view.workload} → ${style.bold(view.model)}  (version ${view.version}, since ${moment(view.since)})`,
    `  before it: ${view.previous ?? originalModel}`,
    `  evidence:  ${view.digest ?? 'none: no approval made this route'}`,
  ].join('\n');
}
