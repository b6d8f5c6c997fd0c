import type { Hono } from 'hono';
import { z } from 'zod';
import type { JsonObject } from '../../../../domain/json.ts';
import { type Kind, mountCrud } from '../crud.ts';
import { newEntity } from '../entity.ts';
import type { World } from '../world.ts';

const precision = z.enum(['int8', 'bf16', 'fp16', 'fp32', 'fp8-mixed', 'bf16-mixed']);
const CreateTarget = z.looseObject({
  num_parameters: z.number().int().positive(),
  precision,
  name: z.string().optional(),
  namespace: z.string().optional(),
});

/** `/v1/customization/targets`: base checkpoints. One per base model is there from the start, as Helm ships them. */
export function mountTargets(app: Hono, world: World): void {
  const table = world.tables.customizationTargets;
  const complete = (entity: JsonObject): JsonObject => ({
    base_model: entity['name'] ?? null,
    enabled: true,
    model_uri: null,
    ...entity,
    model_type: 'hf',
    status: 'ready',
  });
  for (const { id, numParameters } of world.options.bases) {
    const [namespace = 'default', name = id] = id.split('/');
    const shipped = { namespace, name: `${name}@2.0`, base_model: id, num_parameters: numParameters };
    table.set(`${id}@2.0`, complete(newEntity('target', { ...shipped, precision: 'bf16-mixed' })));
  }
  mountCrud(app, {
    title: 'Customization target',
    path: '/v1/customization/targets',
    idPrefix: 'target',
    table,
    create: CreateTarget as unknown as Kind['create'],
    complete,
  });
}
