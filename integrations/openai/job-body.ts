import type { FineTuneRequest } from '../../activities/ports/trainer.ts';
import type { FineTuningDialect } from '../../domain/experiments/fine-tuning-dialect.ts';
import type { HyperparameterNames } from '../../domain/experiments/hyperparameter-names.ts';
import type { Json, JsonObject } from '../../domain/json.ts';

export interface UploadedIds {
  readonly train: string;
  readonly validation: string | undefined;
}

/** The body of a job: what the dialect has a field for, each there. */
export function toJobBody(
  request: FineTuneRequest,
  files: UploadedIds,
  dialect: FineTuningDialect,
): JsonObject {
  const body = structuredClone<JsonObject>(dialect.body);
  const put = (path: string | null, value: Json | undefined) => {
    if (path !== null && value !== undefined) setAt(body, path, value);
  };
  put('model', request.baseModel);
  put('training_file', files.train);
  put('validation_file', files.validation);
  put(dialect.suffix, request.suffix.slice(0, dialect.longestSuffix));
  put(dialect.seed, request.seed);
  put(dialect.metadata, { ...request.metadata, flywheel_key: request.key });
  const settings = { ...request.hyperparameters, maxSetAsideShare: request.maxSetAsideShare };
  for (const [setting, name] of Object.entries(dialect.hyperparameters)) {
    const value = settings[setting as keyof HyperparameterNames];
    const path = [dialect.hyperparametersIn, name].filter(Boolean).join('.');
    if (name !== undefined) put(path, typeof value === 'object' ? [...value] : value);
  }
  return body;
}

function setAt(body: JsonObject, path: string, value: Json): void {
  const fields = path.split('.');
  const last = fields.pop() ?? path;
  let into = body;
  for (const field of fields) into = (into[field] ??= {}) as JsonObject;
  into[last] = value;
}
