import { fileURLToPath } from 'node:url';
import { workflowQueue } from '../workflows/task-queues.ts';
import { runWorkerProcess } from './run-workers.ts';

/** Decides; does nothing else. No activity, however busy, can delay it. */
await runWorkerProcess('workflow-worker', async () => ({
  workers: [
    {
      taskQueue: workflowQueue,
      workflowsPath: fileURLToPath(new URL('../workflows/index.ts', import.meta.url)),
      // A workflow task takes milliseconds; more at a time only take memory on a small machine.
      maxConcurrentWorkflowTaskExecutions: 20,
      // About 1 MB each; a workflow that falls out is replayed from its history.
      maxCachedWorkflows: 200,
      shutdownGraceTime: '5 seconds',
    },
  ],
}));
