import type { ArtifactStore } from '../activities/ports/artifact-store.ts';
import type { Config } from '../config/config.ts';
import { createFileArtifactStore } from '../integrations/files/artifact-store.ts';

export function openArtifactStore(config: Pick<Config, 'artifactsDir'>): ArtifactStore {
  return createFileArtifactStore(config.artifactsDir);
}
