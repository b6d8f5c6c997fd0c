import type { ExperimentReport, ExperimentSpec, ExperimentStage } from '../domain/experiments/experiment.ts';
import type { Lineage } from './ports/lineage.ts';

export interface RunBookkeepingPorts {
  readonly lineage: {
    readonly runs: Pick<Lineage['runs'], 'setStage' | 'close'>;
    readonly experiments: Pick<Lineage['experiments'], 'open' | 'setStage' | 'close' | 'cancelOpen'>;
  };
}

/** Tells the lineage how a run and its experiments get on. */
export function createRunBookkeeping({ lineage }: RunBookkeepingPorts) {
  const { runs, experiments } = lineage;
  return {
    async openExperiments(input: { runId: string; experiments: readonly ExperimentSpec[] }): Promise<void> {
      await runs.setStage(input.runId, 'experiments');
      // One after the other: experiments of one candidate share its row.
      for (const spec of input.experiments) await experiments.open(input.runId, spec);
    },

    async setExperimentStage(input: { experimentId: string; stage: ExperimentStage }): Promise<void> {
      await experiments.setStage(input.experimentId, input.stage, 'running');
    },

    async closeExperiment({ report }: { report: ExperimentReport }): Promise<void> {
      await experiments.close(report);
    },

    async closeRun(input: {
      runId: string;
      status: 'completed' | 'failed' | 'cancelled';
      failure?: string;
    }): Promise<void> {
      // The experiments first: once the run is closed nobody looks at them again.
      if (input.status !== 'completed') await experiments.cancelOpen(input.runId);
      await runs.close(input.runId, input.status, input.failure);
    },
  };
}
