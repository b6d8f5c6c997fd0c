import { createTakeSnapshot } from '../../activities/take-snapshot.ts';
import type { Config } from '../../config/config.ts';
import { connect } from '../../db/connect.ts';
import { createLineage } from '../../db/lineage.ts';
import { openLogStore } from '../../wiring/open-log-store.ts';
import { anAttempt, runIn } from './activity-environment.ts';

/**
 * Takes an incremental snapshot as an activity worker does, says so when a part is read, and then waits to be
 * killed: what `snapshots.contract.ts` needs to kill a worker at just that moment.
 */
const { databaseUrl, runId, workloadId, ...logStore } = JSON.parse(process.argv[2] ?? '{}') as {
  databaseUrl: string;
  runId: string;
  workloadId: string;
} & Config['logStore'];

const { takeSnapshot } = createTakeSnapshot({
  lineage: createLineage(connect(databaseUrl).db),
  logStore: openLogStore({ logStore, database: { url: databaseUrl, embedded: false } }),
  artifacts: {
    async putLines(lines) {
      let read = 0;
      for await (const _ of lines) {
        read += 1;
        if (read === 700) console.log('read a part');
        if (read === 700) await new Promise((resolve) => setTimeout(resolve, 600_000));
      }
      throw new Error('it should have been killed before the end');
    },
  },
});
await runIn(anAttempt(), takeSnapshot, { runId, workloadId, kind: 'incremental' });
