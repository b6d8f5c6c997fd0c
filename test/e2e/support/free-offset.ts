import { requireFreePorts } from '../../../cli/dev/ports.ts';
import { loadConfig } from '../../../config/config.ts';

/** A port offset at which nothing listens, and no outgoing connection may come to (see `free-port.ts`). */
export async function freeOffset(): Promise<number> {
  for (;;) {
    const portOffset = 10_000 + Math.floor(Math.random() * 12_000);
    const isFree = await requireFreePorts(loadConfig({ env: {}, portOffset })).then(
      () => true,
      () => false,
    );
    if (isFree) return portOffset;
  }
}
