import { join } from 'node:path';
import { NotFoundError } from '../../domain/errors.ts';

const scheme = 'artifact:sha256/';

export function uriOf(sha256: string): string {
  return `${scheme}${sha256}`;
}

/** Strict, so that no uri ever leads out of the folder. */
export function sha256Of(uri: string): string {
  const sha256 = uri.startsWith(scheme) ? uri.slice(scheme.length) : '';
  if (/^[0-9a-f]{64}$/.test(sha256)) return sha256;
  throw new NotFoundError(`"${uri}" is not an artifact; their names look like ${scheme}<64 hex digits>.`);
}

/** Spread over 256 folders, so that none grows huge. */
export function pathOf(folder: string, sha256: string): string {
  return join(folder, 'sha256', sha256.slice(0, 2), sha256);
}
