import { z } from 'zod';

/** Which of a provider's models is which of the platform's. */
export const ServedModel = z.object({ model_entity_id: z.string(), served_model_name: z.string() });
export type ServedModel = z.output<typeof ServedModel>;

export const ModelProvider = z.object({
  name: z.string(),
  description: z.string().nullish(),
  host_url: z.string(),
  status: z.string().nullish(),
  served_models: z
    .array(ServedModel)
    .nullish()
    .transform((served) => served ?? []),
});
export type ModelProvider = z.output<typeof ModelProvider>;

export const ModelEntity = z.object({
  name: z.string(),
  model_providers: z
    .array(z.string())
    .nullish()
    .transform((providers) => providers ?? []),
  custom_fields: z.record(z.string(), z.unknown()).nullish(),
  /** Made by the platform from the model's files, where it has them. */
  spec: z.object({ context_size: z.number().int().positive().nullish() }).nullish(),
});
export type ModelEntity = z.output<typeof ModelEntity>;

export const Adapter = z.object({
  name: z.string(),
  model: z.string().nullish(),
  fileset: z.string(),
  enabled: z.boolean().nullish(),
  created_at: z.string().nullish(),
});
export type Adapter = z.output<typeof Adapter>;

export const VirtualModel = z.object({
  name: z.string(),
  default_model_entity: z.string().nullish(),
  created_at: z.string().nullish(),
});
export type VirtualModel = z.output<typeof VirtualModel>;
