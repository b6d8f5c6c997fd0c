import type { Inventory } from '../../activities/ports/inventory.ts';
import { RejectedError } from '../../domain/errors.ts';
import { type CreatedKind, createCreatedThings } from './created.ts';
import { isOurs } from './names.ts';
import type { NemoPlatformSettings } from './settings.ts';

const kinds: readonly string[] = ['job', 'virtual model', 'adapter', 'fileset'] satisfies CreatedKind[];

/** What Flywheel made in its workspace, by its names. */
export function createInventory(settings: NemoPlatformSettings): Inventory {
  const created = createCreatedThings(settings);
  return {
    async *list() {
      for (const { kind, name, createdAt } of await created.list()) yield { kind, id: name, createdAt };
    },
    async remove({ kind, id }) {
      if (!kinds.includes(kind) || !isOurs(id)) {
        throw new RejectedError(
          `The ${kind} ${id} was not made by Flywheel, so Flywheel does not remove it.`,
        );
      }
      await created.remove({ kind: kind as CreatedKind, name: id, createdAt: null });
    },
  };
}
