import type { FineTuneRequest } from '../../activities/ports/trainer.ts';
import { canonicalJson, sha256 } from '../../domain/hash.ts';
import { automodelSpec, type CustomizationData, peftSpec, unslothSpec } from './customization-specs.ts';
import { jobName } from './names.ts';
import type { Customizer } from './settings.ts';

interface Backend {
  /** Its part of the path: `/apis/customization/v2/workspaces/{workspace}/{path}/jobs`. */
  readonly path: string;
  readonly spec: (request: FineTuneRequest, data: CustomizationData) => object;
  /** Whether it sets rows aside, and tells which. */
  readonly setsAside: boolean;
  /** Whether a training that the platform lost goes on, and is found again by whoever submits it again. */
  readonly adopts: boolean;
}

export const backends: Readonly<Record<Customizer, Backend>> = {
  automodel: { path: 'automodel', spec: automodelSpec, setsAside: false, adopts: false },
  unsloth: { path: 'unsloth', spec: unslothSpec, setsAside: false, adopts: false },
  peft: { path: 'peft', spec: peftSpec, setsAside: true, adopts: true },
};

/** The body of a customization job; its `spec` is the backend's own. */
export function toJobBody(request: FineTuneRequest, data: CustomizationData, customizer: Customizer) {
  return {
    name: jobName('tune', request.key),
    description: 'Made by Flywheel.',
    custom_fields: { ...request.metadata, flywheel_key: request.key, training_id: trainingId(request) },
    spec: backends[customizer].spec(request, data),
  };
}

/** The same for every round of one training: a backend that lost its job finds by it what went on without it. */
function trainingId(request: FineTuneRequest): string {
  return sha256(canonicalJson({ ...request, key: null })).slice(0, 32);
}
