import { FlywheelError, NotFoundError, UnavailableError } from '../../domain/errors.ts';

/** A file system's error as one of ours. */
export function toArtifactError(error: unknown, uri: string): Error {
  if (error instanceof FlywheelError) return error;
  if (!(error instanceof Error)) return new Error(String(error));
  const code = 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') {
    return new NotFoundError(
      `There is no artifact ${uri}: it was deleted, or it belongs to another FLYWHEEL_HOME.`,
      {
        cause: error,
      },
    );
  }
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new UnavailableError(
      'The disk that holds the artifacts is full. Free some space; the step is repeated.',
      {
        cause: error,
      },
    );
  }
  return typeof code === 'string'
    ? new UnavailableError(`The artifact store cannot be used right now: ${error.message}.`, { cause: error })
    : error;
}
