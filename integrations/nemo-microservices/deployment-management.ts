import { z } from 'zod';
import { ifThere } from './errors.ts';
import { listAll } from './paging.ts';
import { itemPath, type Transport } from './transport.ts';

const Model = z
  .union([z.string(), z.object({ name: z.string().nullish() })])
  .nullish()
  .transform((model) => (typeof model === 'string' ? model : (model?.name ?? null)));

/** Which container; how much of it is shown differs. */
const Container = z.object({
  image_name: z.string().nullish(),
  image_tag: z.string().nullish(),
  gpu: z.number().nullish(),
  pvc_size: z.string().nullish(),
  additional_envs: z.record(z.string(), z.unknown()).nullish(),
});

/** A model deployment as we read it. */
export const ModelDeployment = z
  .object({
    name: z.string(),
    namespace: z.string(),
    config: z.union([z.string(), z.object({ model: Model, nim_deployment: Container.nullish() })]).nullish(),
    models: z.array(z.string()).nullish(),
    status_details: z.object({ status: z.string(), description: z.string().nullish() }),
    custom_fields: z.record(z.string(), z.unknown()).nullish(),
    created_at: z.string().nullish(),
  })
  .transform((found) => ({
    fullName: `${found.namespace}/${found.name}`,
    /** Ids of the base models that it serves. */
    serves: [
      ...(typeof found.config === 'object' && found.config?.model ? [found.config.model] : []),
      ...(found.models ?? []),
    ],
    /** What its NIM runs by; null where the reply only names its config. */
    container: typeof found.config === 'object' ? (found.config?.nim_deployment ?? null) : null,
    status: toStatus(found.status_details.status),
    description: found.status_details.description ?? null,
    customFields: found.custom_fields ?? {},
    createdAt: found.created_at ?? null,
  }));
export type ModelDeployment = z.output<typeof ModelDeployment>;

/** `ready` is the one good end; `deployed`, which the blueprint waits for, never comes. */
function toStatus(status: string): 'pending' | 'ready' | 'failed' {
  if (status === 'ready') return 'ready';
  return ['failed', 'cancelled', 'cancelling'].includes(status) ? 'failed' : 'pending';
}

/** Deployment Management: NIM containers on the cluster, by `namespace/name`. */
export interface DeploymentManagement {
  /** null when there is none. */
  get(fullName: string): Promise<ModelDeployment | null>;
  /** Of every namespace. */
  list(): AsyncIterable<ModelDeployment>;
  /** Throws `RejectedError`, `conflict`, where the name is taken. */
  create(body: Readonly<Record<string, unknown>>): Promise<ModelDeployment>;
  setCustomFields(fullName: string, fields: Readonly<Record<string, unknown>>): Promise<void>;
  /** Harmless when it is gone. Its containers end some time later. */
  remove(fullName: string): Promise<void>;
}

const path = '/v1/deployment/model-deployments';

export function createDeploymentManagement(transport: Transport): DeploymentManagement {
  return {
    get(fullName) {
      const call = { doing: `look for deployment ${fullName}`, path: itemPath(path, fullName) };
      return ifThere(transport.json({ ...call, method: 'GET' }, ModelDeployment));
    },
    list: () => listAll(transport, { doing: 'list deployments', path }, ModelDeployment),
    create: (body) =>
      // A second one is refused by its name, so it may be sent twice.
      transport.json(
        { doing: 'create a deployment', method: 'POST', path, body, repeatable: true },
        ModelDeployment,
      ),
    async setCustomFields(fullName, fields) {
      const body = { custom_fields: fields };
      const doing = `change deployment ${fullName}`;
      const call = {
        doing,
        method: 'PATCH',
        path: itemPath(path, fullName),
        body,
        repeatable: true,
      } as const;
      await transport.json(call, z.unknown());
    },
    async remove(fullName) {
      const call = { doing: `delete deployment ${fullName}`, path: itemPath(path, fullName) };
      await ifThere(transport.json({ ...call, method: 'DELETE' }, z.unknown()));
    },
  };
}
