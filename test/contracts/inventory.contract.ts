import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Inventory, KeptThing } from '../../activities/ports/inventory.ts';

type Thing = Pick<KeptThing, 'kind' | 'id'>;

export interface InventorySetup {
  readonly inventory: Inventory;
  /** One of each kind at least, as a run makes them. */
  readonly made: readonly (Thing & {
    /** Whose it says that it is; absent where it does not. */
    readonly runId?: string;
  })[];
  /** Somebody else's, beside ours, of kinds that Flywheel makes too. */
  readonly foreign: readonly Thing[];
  /** Whether any of it is there, files included, by other means than the inventory. */
  isThere(thing: Thing): Promise<boolean>;
  close?(): Promise<void>;
}

/** What every inventory does. One setup for all: the cases go on from each other, and the last leaves nothing. */
export function describeInventory(name: string, setup: () => Promise<InventorySetup>): void {
  describe(`${name} as an inventory`, { timeout: 300_000 }, () => {
    let bundle: InventorySetup;
    beforeAll(async () => {
      bundle = await setup();
    }, 600_000);
    afterAll(() => bundle.close?.());

    async function listed(): Promise<KeptThing[]> {
      const things: KeptThing[] = [];
      for await (const thing of bundle.inventory.list()) things.push(thing);
      return things;
    }

    it('lists each thing that Flywheel made once, since when, and nothing of others', async () => {
      const things = await listed();

      expect(namesOf(things)).toEqual(namesOf(bundle.made));
      for (const { kind, id, runId = null } of bundle.made) {
        const told = things.filter((thing) => thing.kind === kind && thing.id === id);
        expect(
          told.map((thing) => thing.runId),
          `${kind} ${id}`,
        ).toEqual([runId]);
      }
      for (const { kind, createdAt } of things) {
        // With its zone: without one it would be read as the reader's own.
        expect(createdAt, kind).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/);
        expect(Math.abs(Date.now() - Date.parse(createdAt ?? '')), kind).toBeLessThan(15 * 60_000);
      }
    });

    it('refuses to remove what Flywheel did not make', async () => {
      for (const thing of bundle.foreign) {
        const removing = bundle.inventory.remove(thing);

        await expect(removing, thing.kind).rejects.toMatchObject({ name: 'RejectedError' });
        await expect(removing, thing.kind).rejects.toThrow(thing.id);
        expect(await bundle.isThere(thing), thing.id).toBe(true);
      }
    });

    it('refuses to remove a kind of thing that it does not know', async () => {
      const [thing] = bundle.made;

      const removing = bundle.inventory.remove({ kind: 'spaceship', id: thing?.id ?? '' });

      await expect(removing).rejects.toMatchObject({ name: 'RejectedError' });
      await expect(removing).rejects.toThrow('spaceship');
    });

    it('removes things in the order of its list, whole, which is harmless to do twice', async () => {
      const things = await listed();

      for (const thing of things) await bundle.inventory.remove(thing);
      for (const thing of things) await bundle.inventory.remove(thing);

      expect(await listed()).toEqual([]);
      for (const thing of bundle.made) expect(await bundle.isThere(thing), namesOf([thing])[0]).toBe(false);
      for (const thing of bundle.foreign) expect(await bundle.isThere(thing), thing.id).toBe(true);
    });
  });
}

function namesOf(things: readonly Thing[]): string[] {
  return things.map(({ kind, id }) => `${kind} ${id}`).sort();
}
