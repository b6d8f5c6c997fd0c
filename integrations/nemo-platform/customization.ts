import type { FineTuneRequest } from '../../activities/ports/trainer.ts';
import { canonicalJson, sha256 } from '../../domain/hash.ts';
import { automodelSpec, type CustomizationData, peftSpec, unslothSpec } from './customization-specs.ts';
import type { ModelEntity } from './models.schema.ts';
import { jobName } from './names.ts';
import { type Customizer, customizerOf, type NemoPlatformSettings } from './settings.ts';

/** As at NeMo Microservices: the blueprint's. The backends' own 2048 is less than many a tool list. */
const defaultMaxSeqLength = 8192;

interface Backend {
  /** Its part of the path: `/apis/customization/v2/workspaces/{workspace}/{path}/jobs`. */
  readonly path: string;
  /** Tokens that a row may have where nobody says; null: as many as its model takes. */
  readonly maxSeqLength: number | null;
  readonly spec: (request: FineTuneRequest, data: CustomizationData) => object;
  /** Whether it sets rows aside, and tells which. */
  readonly setsAside: boolean;
  /** Whether a training that the platform lost goes on, and is found again by whoever submits it again. */
  readonly adopts: boolean;
}

export const backends: Readonly<Record<Customizer, Backend>> = {
  automodel: {
    ...{ path: 'automodel', spec: automodelSpec, maxSeqLength: defaultMaxSeqLength },
    ...{ setsAside: false, adopts: false },
  },
  unsloth: {
    ...{ path: 'unsloth', spec: unslothSpec, maxSeqLength: defaultMaxSeqLength },
    ...{ setsAside: false, adopts: false },
  },
  peft: { path: 'peft', spec: peftSpec, maxSeqLength: null, setsAside: true, adopts: true },
};

/** Never more than the model takes, where the platform knows that: unsloth would stretch its positions. */
export function maxSeqLengthOf(settings: NemoPlatformSettings, { spec }: ModelEntity): number | null {
  const wanted = settings.training?.maxSeqLength ?? backends[customizerOf(settings)].maxSeqLength;
  return wanted && Math.min(wanted, spec?.context_size ?? wanted);
}

/** The body of a customization job; its `spec` is the backend's own. */
export function toJobBody(request: FineTuneRequest, data: CustomizationData, customizer: Customizer) {
  return {
    name: jobName('tune', request.key),
    description: 'Made by Flywheel.',
    custom_fields: { ...request.metadata, flywheel_key: request.key, training_id: trainingId(request, data) },
    spec: backends[customizer].spec(request, data),
  };
}

/** The same for every round of one training: a backend that lost its job finds by it what went on without it. */
function trainingId(request: FineTuneRequest, { maxSeqLength }: CustomizationData): string {
  const trained = { ...request, key: null, ...(maxSeqLength !== null && { maxSeqLength }) };
  return sha256(canonicalJson(trained)).slice(0, 32);
}
