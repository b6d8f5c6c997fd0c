import { RejectedError } from '../../domain/errors.ts';
import { Target } from './customizer.schema.ts';
import { listAll } from './paging.ts';
import type { Transport } from './transport.ts';

/** No job of such a target starts: its checkpoint is not there, or is going. */
const unusable: ReadonlySet<string> = new Set([
  'failed',
  'cancelled',
  'deleting',
  'deleted',
  'delete_failed',
]);

/**
 * The target, as `namespace/name`, by which a base model is trained: of those that are enabled and can be used the
 * first by name, a ready one before one that is still being fetched. By name, so that a run that goes on does not
 * change its target with the order of a list.
 */
export async function findTarget(transport: Transport, baseModel: string): Promise<string> {
  const targets: Target[] = [];
  const call = { doing: 'list customization targets', path: '/v1/customization/targets' };
  for await (const target of listAll(transport, call, Target)) targets.push(target);
  const [best] = targets
    .filter((target) => target.baseModel === baseModel && isUsable(target))
    .sort((a, b) => (order(a) < order(b) ? -1 : 1));
  if (best) return best.fullName;
  throw new RejectedError(complaint(transport.provider, baseModel, targets), { code: 'model_not_found' });
}

function isUsable({ enabled, status }: Target): boolean {
  return enabled && !unusable.has(status ?? '');
}

/** A reply without a status is an older release's, whose targets are as ready as can be told. */
function order({ status, fullName }: Target): string {
  return `${status === null || status === 'ready' ? 0 : 1} ${fullName}`;
}

function complaint(provider: string, baseModel: string, targets: readonly Target[]): string {
  const refused = targets.filter((target) => target.baseModel === baseModel);
  if (refused.length > 0) {
    const found = refused.map((target) => `${target.fullName} (${stateOf(target)})`).sort();
    return (
      `${provider} cannot customize ${baseModel}: its targets are of no use: ${found.join(', ')}. ` +
      'Mend or enable one at Customizer, or change the model in candidates.yaml.'
    );
  }
  const others = new Set(targets.filter(isUsable).flatMap((target) => target.baseModel ?? []));
  return (
    `${provider} cannot customize ${baseModel}: it has enabled targets for ${[...others].sort().join(', ') || 'no model'}. ` +
    'Enable one in its Helm values, or change the model in candidates.yaml.'
  );
}

function stateOf({ enabled, status }: Target): string {
  return enabled ? (status ?? 'of no status') : 'disabled';
}
