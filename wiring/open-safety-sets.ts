import type { SafetySets } from '../activities/ports/safety-sets.ts';
import type { Config } from '../config/config.ts';
import { ConfigError } from '../config/config-error.ts';
import { loadSafetySet } from '../config/safety-set.ts';

/** The files as they stand at each question: a run asks once, and pins what it found. */
export function openSafetySets({ policiesFile }: Pick<Config, 'policiesFile'>): SafetySets {
  return {
    async load(name) {
      const { items, problems } = loadSafetySet(policiesFile.path, name);
      if (problems.length > 0) throw new ConfigError(problems);
      return items;
    },
  };
}
