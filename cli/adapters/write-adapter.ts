import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AdapterFiles, AdapterListing } from '../../activities/ports/adapter-files.ts';
import type { AdapterOrigin } from '../../activities/ports/adapter-lineage.ts';
import type { EvaluationItem } from '../../activities/ports/experiment-lineage.ts';
import type { AdapterFacts } from '../../domain/adapters/adapter-facts.ts';
import { licenceNotice } from '../../domain/adapters/licence-notice.ts';
import { modelCard } from '../../domain/adapters/model-card.ts';
import { type Download, downloadInto } from './download.ts';
import { type Gathered, termFiles } from './gather-facts.ts';

export interface AdapterExport {
  readonly origin: AdapterOrigin;
  readonly listing: AdapterListing;
  readonly files: AdapterFiles;
  readonly gathered: Gathered;
  /** With the answers' texts; else scores and record ids alone. */
  readonly withItems: boolean;
  readonly signal: AbortSignal;
  readonly onBytes: (bytes: number) => void;
}

/** Fills a folder with what others need to use the adapter, and to judge whether they should. */
export async function writeAdapter(folder: string, what: AdapterExport): Promise<void> {
  const { origin, listing, files, gathered, signal } = what;
  const { facts, items } = gathered;
  const put = (name: string, text: string) => writeFile(join(folder, name), text, { mode: 0o600 });
  let before = 0;
  const download = async (of: Download['of'], list: AdapterListing['files']) => {
    for (const file of list) {
      const onBytes = (bytes: number) => what.onBytes(before + bytes);
      await downloadInto(folder, { files, model: origin.model, of, file, signal, onBytes });
      before += file.bytes;
    }
  };
  await download('adapter', listing.files);
  await nameBase(join(folder, 'adapter_config.json'), facts.base.reference);
  const terms = termFiles(listing);
  await download(
    'base',
    listing.base.files.filter(({ name }) => terms.includes(name)),
  );
  if (!terms.some((name) => name.startsWith('LICENSE'))) await put('LICENSE', licenceNotice(facts.base));
  await put('README.md', modelCard(facts));
  await put('evaluation.json', pretty(evaluationJson(facts)));
  await put(
    'evaluation.jsonl',
    items.map((item) => `${JSON.stringify(itemJson(item, what.withItems))}\n`).join(''),
  );
  await put('lineage.json', pretty(lineageJson(origin, gathered, listing)));
}

/** The trainer wrote the path of its own machine, which means nothing elsewhere. */
async function nameBase(path: string, reference: string): Promise<void> {
  const config = JSON.parse(await readFile(path, 'utf8')) as object;
  await writeFile(path, pretty({ ...config, base_model_name_or_path: reference }));
}

function evaluationJson({
  evaluation,
  primaryMetric,
  threshold,
  experiments,
  verdict,
  dataset,
}: AdapterFacts) {
  return { evaluation, primaryMetric, threshold, verdict, datasetHash: dataset.hash, experiments };
}

/** Answers are an application's words: they go out only when asked for. */
function itemJson(item: EvaluationItem, withTexts: boolean) {
  const { response: _response, failureDetail: _detail, ...scored } = item;
  return withTexts ? item : scored;
}

function lineageJson(origin: AdapterOrigin, { facts, run }: Gathered, listing: AdapterListing) {
  return {
    adapter: {
      model: origin.model,
      provider: origin.provider,
      createdAt: origin.createdAt,
      files: listing.files,
    },
    base: facts.base,
    run: { runId: run.runId, workload: run.workload, reason: run.reason, startedAt: run.startedAt },
    experiment: { id: origin.experimentId, candidate: origin.candidate, strategy: origin.strategy },
    job: origin.job,
    dataset: { ...origin.dataset, splits: facts.dataset.splits, dropped: facts.dataset.dropped },
    snapshot: run.snapshot,
    responseSources: run.responseSources,
    synthetic: run.synthetic,
    toolsInferred: run.toolsInferred,
    policyVersion: run.policy?.version ?? null,
    verdict: run.verdict,
    digest: run.digest,
    approval: run.approval ?? null,
    route: run.route ?? null,
  };
}

function pretty(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
