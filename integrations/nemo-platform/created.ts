import { createFilesClient } from './files.ts';
import { createJobsClient } from './jobs.ts';
import { createModelsClient } from './models.ts';
import { isOurs } from './names.ts';
import type { NemoPlatformSettings } from './settings.ts';
import { createTransport } from './transport.ts';

export type CreatedKind = 'job' | 'virtual model' | 'adapter' | 'fileset';

/** A thing on the platform that Flywheel made. */
export interface Created {
  readonly kind: CreatedKind;
  readonly name: string;
  /** RFC 3339; null where the platform does not tell. */
  readonly createdAt: string | null;
}

/** What Flywheel made in its workspace, told by its name; in the order in which it can be removed. */
export interface CreatedThings {
  list(): Promise<Created[]>;
  /** Harmless when it is gone. Of a virtual model, the provider's entry stays: the deployer removes both. */
  remove(thing: Created): Promise<void>;
}

/**
 * Model entities, providers and the workspace itself are not among them: they were there before us, or are shared
 * by all that is.
 */
export function createCreatedThings(settings: NemoPlatformSettings): CreatedThings {
  const transport = createTransport(settings);
  const { workspace } = settings;
  const jobs = createJobsClient(settings, transport);
  const models = createModelsClient(transport);
  const files = createFilesClient(transport);
  return {
    async list() {
      const [jobsThere, virtualModels, adapters, filesets] = await Promise.all([
        jobs.list(),
        models.virtualModels(workspace),
        models.adapters(workspace),
        files.list(workspace),
      ]);
      return [
        ...toCreated('job', jobsThere),
        ...toCreated('virtual model', virtualModels),
        ...toCreated('adapter', adapters),
        ...toCreated('fileset', filesets),
      ];
    },
    remove({ kind, name }) {
      switch (kind) {
        case 'job':
          return jobs.remove(name);
        case 'virtual model':
          return models.removeVirtualModel({ workspace, name });
        case 'adapter':
          return models.removeAdapter({ workspace, name });
        case 'fileset':
          return files.remove(workspace, name);
      }
    },
  };
}

function toCreated(
  kind: CreatedKind,
  things: readonly { readonly name: string; readonly created_at?: string | number | null | undefined }[],
): Created[] {
  return things
    .filter(({ name }) => isOurs(name))
    .map(({ name, created_at: createdAt }) => ({
      kind,
      name,
      createdAt: createdAt == null ? null : new Date(createdAt).toISOString(),
    }));
}
