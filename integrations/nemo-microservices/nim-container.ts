import { RejectedError } from '../../domain/errors.ts';
import type { ModelDeployment } from './deployment-management.ts';
import type { NemoSettings, NimImage } from './settings.ts';

/** The container of a base model, as Deployment Management is asked for it. */
export function toContainer(nim: NimImage) {
  return {
    image_name: nim.image,
    image_tag: nim.tag,
    gpu: nim.gpus,
    ...(nim.volumeSize !== undefined && { pvc_size: nim.volumeSize }),
    ...(nim.env && { additional_envs: nim.env }),
  };
}

/** What a reply shows in the place of a secret. */
const hidden = /^\*+$/;

/**
 * Throws `RejectedError`, `conflict`, for a deployment of ours by another container than candidates.yaml names.
 * What its reply does not show, or shows besides (variables that the service adds), is taken as it is.
 */
export function requireContainer(
  { name }: Pick<NemoSettings, 'name'>,
  { fullName, container }: Pick<ModelDeployment, 'fullName' | 'container'>,
  nim: NimImage,
): void {
  const { additional_envs: env = {}, ...wanted } = toContainer(nim);
  const { additional_envs: foundEnv, ...found } = container ?? {};
  const changed = [...differences(found, wanted), ...differences(foundEnv ?? {}, env)];
  if (changed.length === 0) return;
  throw new RejectedError(
    `${name}: deployment ${fullName} runs another container than \`nims\` of the provider in candidates.yaml names ` +
      `(${changed.join(', ')}). What it serves goes on, and nothing new is put on it. Put \`nims\` back, or delete ` +
      'the deployment at a quiet time: it is made anew, by the new container, for whatever needs it.',
    { code: 'conflict' },
  );
}

/** Names alone: a variable may hold a secret. */
function differences(
  found: Readonly<Record<string, unknown>>,
  wanted: Readonly<Record<string, string | number>>,
): string[] {
  return Object.entries(wanted)
    .filter(([field, value]) => {
      const there = found[field];
      if (typeof there !== 'string' && typeof there !== 'number') return false;
      return String(there) !== String(value) && !hidden.test(String(there));
    })
    .map(([field]) => field);
}
