// Downloads Temporal's dev server into the folder given, by starting it once. See download-temporal.ts.
import { TestWorkflowEnvironment } from '@temporalio/testing';

const environment = await TestWorkflowEnvironment.createLocal({
  server: { executable: { type: 'cached-download', downloadDir: process.argv[2], ttl: '3650d' } },
});
await environment.teardown();
process.exit(0);
