import { errors, type estypes } from '@elastic/elasticsearch';
import { InvalidInputError } from '../../domain/errors.ts';
import { type ElasticsearchSettings, openStore, type Store } from './client.ts';
import { guarded } from './errors.ts';
import { indexSettings, mapping, mappingVersion } from './mapping.ts';
import { openWritesIndex, openWritesMapping } from './open-writes.ts';

/** Makes the indices and the alias, or brings their mapping up to date. Safe to call by many at once. */
export async function migrateElasticsearchLogs(settings: ElasticsearchSettings): Promise<void> {
  const store = openStore(settings);
  try {
    await guarded(() => migrate(store));
  } finally {
    await store.client.close();
  }
}

async function migrate(store: Store): Promise<void> {
  const { client, index: alias } = store;
  await createIfMissing(store, openWritesIndex(store), { mappings: openWritesMapping });
  if (!(await client.indices.existsAlias({ name: alias }))) await createIndex(store);
  const indices = Object.entries(await client.indices.getMapping({ index: alias }));
  for (const [index, { mappings }] of indices) {
    const version = Number(mappings._meta?.['flywheel_mapping'] ?? 0);
    if (version > mappingVersion) {
      throw new InvalidInputError(
        `Index ${index} was made by a newer Flywheel (mapping ${version}; this one knows ${mappingVersion}): ` +
          'update this installation.',
      );
    }
    if (version < mappingVersion) await extend(store, index);
  }
}

async function createIndex(store: Store): Promise<void> {
  const { client, index: alias } = store;
  if (await client.indices.exists({ index: alias })) {
    throw new InvalidInputError(
      `"${alias}" is an index, and an alias is needed there: choose another name by ELASTICSEARCH_INDEX.`,
    );
  }
  await createIfMissing(store, `${alias}-v${mappingVersion}`, {
    settings: indexSettings,
    mappings: mapping,
    aliases: { [alias]: { is_write_index: true } },
  });
}

/** Adds what the mapping has more; a field whose type differs is a conflict that a person has to solve. */
async function extend({ client }: Store, index: string): Promise<void> {
  try {
    await client.indices.putMapping({ index, ...mapping });
  } catch (error) {
    if (!(error instanceof errors.ResponseError) || error.statusCode !== 400) throw error;
    throw new InvalidInputError(
      `The mapping of index ${index} is not one of Flywheel's (${reasonOf(error)}): move it away, or choose ` +
        'another name by ELASTICSEARCH_INDEX.',
    );
  }
}

function reasonOf(error: errors.ResponseError): string {
  const body = error.body as { error?: { reason?: string } } | undefined;
  return body?.error?.reason ?? 'no reason given';
}

async function createIfMissing(
  { client }: Store,
  index: string,
  body: Omit<estypes.IndicesCreateRequest, 'index'>,
): Promise<void> {
  try {
    await client.indices.create({ index, ...body });
  } catch (error) {
    const exists =
      error instanceof errors.ResponseError &&
      JSON.stringify(error.body).includes('resource_already_exists_exception');
    if (!exists) throw error;
  }
}
