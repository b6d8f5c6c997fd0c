import { startElasticsearch } from '../../cli/dev/services/elasticsearch.ts';
import {
  type ElasticsearchTools,
  type ElasticsearchVersion,
  elasticsearchVersions,
  prepareElasticsearch,
} from '../../cli/setup/find-elasticsearch.ts';
import { FlywheelError } from '../../domain/errors.ts';
import { freePort } from './free-port.ts';

interface Server {
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * What the tests run against: the server of TEST_ELASTICSEARCH_URL (plain HTTP; each of our indices there has a name
 * of its own and is deleted), else one that is started here. Null where that cannot be.
 */
export async function elasticsearchForTests(dir: string): Promise<Server | null> {
  const url = process.env.TEST_ELASTICSEARCH_URL;
  if (url) return { url, stop: async () => undefined };
  const tools = await elasticsearchTools(console.log).catch(skipped);
  return tools && startElasticsearch({ ...tools, dir, port: await freePort() });
}

/** Of the version that TEST_ELASTICSEARCH_VERSION names (9.2.0 needs Java 21), else of the one that a stack runs. */
export async function elasticsearchTools(
  note: (line: string) => void = () => undefined,
): Promise<ElasticsearchTools> {
  return prepareElasticsearch(note, undefined, testedVersion());
}

function testedVersion(): ElasticsearchVersion {
  const wanted = process.env.TEST_ELASTICSEARCH_VERSION;
  const known = elasticsearchVersions.map(({ version }) => version);
  const version = wanted ? known.find((one) => one === wanted) : known[0];
  if (version) return version;
  throw new Error(`TEST_ELASTICSEARCH_VERSION is "${wanted}"; it may be ${known.join(' or ')}.`);
}

/** Says in one sentence what is missing. CI has it, and whoever asks for a version; else only its own tests are skipped. */
function skipped(error: unknown): null {
  const needed = process.env.CI === 'true' || process.env.TEST_ELASTICSEARCH_VERSION;
  if (!(error instanceof FlywheelError) || needed) throw error;
  console.error(error.message);
  return null;
}
