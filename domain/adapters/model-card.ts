import { provenance } from '../records/provenance.ts';
import type { AdapterFacts, EvaluationFacts, MeasuredExperiment } from './adapter-facts.ts';

/** A Hugging Face model card: YAML front matter that the hub reads, and the same facts for people. */
export function modelCard(facts: AdapterFacts): string {
  const sections = [
    frontMatter(facts),
    introduction(facts),
    training(facts),
    evaluation(facts),
    limits(facts),
    use(facts),
    licence(facts),
  ];
  return `${sections.join('\n\n')}\n`;
}

/** JSON is YAML: quoted so, no name can break out of its place. */
const quoted = (value: string) => JSON.stringify(value);

function frontMatter({ base, model, workload, dataset, evaluation: measured }: AdapterFacts): string {
  const lines = [
    `base_model: ${quoted(base.reference)}`,
    'base_model_relation: adapter',
    'library_name: peft',
    'pipeline_tag: text-generation',
    ...licenceLines(base.licence),
    'tags: [lora, peft, flywheel]',
    ...(measured ? modelIndex(model, workload, dataset.hash, measured.metrics) : []),
  ];
  return `---\n${lines.join('\n')}\n---`;
}

function licenceLines({ id, name, link }: AdapterFacts['base']['licence']): string[] {
  if (id === null) return [];
  return [
    `license: ${quoted(id)}`,
    ...(name === null ? [] : [`license_name: ${quoted(name)}`]),
    ...(link === null ? [] : [`license_link: ${quoted(link)}`]),
  ];
}

function modelIndex(
  model: string,
  workload: string,
  hash: string,
  metrics: Readonly<Record<string, number>>,
): string[] {
  return [
    'model-index:',
    `  - name: ${quoted(model)}`,
    '    results:',
    '      - task: {type: text-generation}',
    `        dataset: {type: flywheel, name: ${quoted(`eval split of workload ${workload}`)}, revision: ${quoted(hash)}}`,
    '        metrics:',
    ...Object.entries(metrics).map(
      ([name, value]) => `          - {type: ${quoted(name)}, name: ${quoted(name)}, value: ${value}}`,
    ),
  ];
}

function introduction({ model, workload, base, createdAt, provenance: of }: AdapterFacts): string {
  const remark = provenance(of);
  return [
    `# ${plain(model)}`,
    '',
    `A LoRA adapter of ${code(base.reference)} for one workload, ${code(workload)}: trained by Flywheel from calls that an`,
    `application made to a larger model, on ${createdAt.slice(0, 10)}. It answers that workload's requests and was made for nothing else.`,
    ...(remark === null ? [] : ['', `**${remark}**`]),
  ].join('\n');
}

function training({ training: made, dataset, base }: AdapterFacts): string {
  const { train, validation, eval: evaluated } = dataset.splits;
  const dropped = Object.entries(dataset.dropped).map(([reason, n]) => `${n} ${reason}`);
  const { setAside } = made;
  const rows: (readonly [string, string])[] = [
    ['base model', code(base.reference)],
    ['dataset', `${code(dataset.hash)}, ${train} train, ${validation} validation, ${evaluated} eval`],
    ['left out by curation', dropped.length === 0 ? 'nothing' : dropped.join(', ')],
    [
      'left out by the trainer',
      setAside === null
        ? 'nothing that it told of'
        : `${setAside.train} train, ${setAside.validation} validation`,
    ],
    ['seed', String(made.seed)],
    ...Object.entries(made.hyperparameters).map(([name, value]) => [name, text(value)] as const),
    ['training', made.seconds === null ? 'time not told' : `${made.seconds.toFixed(1)} s`],
    ['run, job', `${code(made.runId)}, ${code(made.jobId)}`],
  ];
  return `## Training\n\n${table(['', ''], rows)}`;
}

function evaluation(facts: AdapterFacts): string {
  const { evaluation: measured, experiments, primaryMetric, threshold } = facts;
  if (measured === null)
    return '## Evaluation\n\nIt was never measured to the end: nothing is known of how well it works.';
  const names = Object.keys(measured.metrics);
  const metric = primaryMetric ?? names[0] ?? 'score';
  const columns = [metric, ...names.filter((name) => name !== metric)];
  const rows = experiments.map((each) => [
    nameOf(each),
    ...columns.map((name) => share(each.metrics[name])),
    each.n === 0 ? '–' : String(each.n),
    each.n === 0 ? each.status : String(each.failed),
  ]);
  const [low, high] = measured.interval ?? [];
  return [
    '## Evaluation',
    '',
    `All on the same ${measured.n} items of the eval split, which no training saw. A failed item counts as wrong.`,
    '',
    table(['experiment', ...columns, 'n', 'failed'], rows),
    '',
    low === undefined || high === undefined
      ? `No confidence interval is given: ${metric} is not a share of right answers.`
      : `95 % interval (Wilson) of this adapter's ${metric}: ${share(low)} to ${share(high)}.`,
    threshold === null ? 'No threshold was set.' : `The workload's threshold: ${share(threshold)}.`,
    ...(measured.latencyMs ? [latency(measured.latencyMs)] : []),
    '',
    verdict(facts),
  ].join('\n');
}

function latency({ p50, p95, of }: NonNullable<EvaluationFacts['latencyMs']>): string {
  const sample = of === undefined ? '' : `, of ${of} of its answers`;
  return `Latency where it was measured: P50 ${Math.round(p50)} ms, P95 ${Math.round(p95)} ms${sample}.`;
}

function verdict({ verdict: found, approval }: AdapterFacts): string {
  if (found === null) return 'The run came to no verdict.';
  const about = found.won ? '' : ', not about this adapter';
  const decided =
    approval === null
      ? 'Nobody has decided on it.'
      : `${approval.outcome === 'approve' ? 'Approved' : 'Rejected'} by ${plain(approval.actor)} on ${approval.at.slice(0, 10)}${approval.override ? ', overriding the verdict' : ''}.`;
  return `Verdict of the run${about}: **${found.outcome}**. ${plain(found.reason)} ${found.won ? decided : ''}`.trimEnd();
}

function limits({ evaluation: measured, workload }: AdapterFacts): string {
  return [
    '## Limits',
    '',
    `- Measured on ${measured?.n ?? 0} logged requests of ${code(workload)} and nothing else; other requests, other tools and another time may go worse.`,
    '- A right answer is one that agrees with the logged one. Where that was wrong, agreeing with it is wrong too.',
    '- Trained on an application’s own traffic: its weights may hold traces of what was said there. Hand it on only to those who may see that.',
    '- The items’ texts are not in this folder unless they were asked for; scores and record ids are.',
  ].join('\n');
}

function use({ base, model }: AdapterFacts): string {
  const note = base.onHub
    ? ''
    : `\n\n${code(base.reference)} is no id of the Hugging Face hub that is known here: put the folder of that base model there.`;
  return `## Use

\`\`\`python
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer
base = AutoModelForCausalLM.from_pretrained(${quoted(base.reference)})
tokenizer = AutoTokenizer.from_pretrained(${quoted(base.reference)})
model = PeftModel.from_pretrained(base, ".")  # the folder of this file, ${plain(model)}
\`\`\`${note}`;
}

function licence({ base }: AdapterFacts): string {
  const { id, name, link } = base.licence;
  const files = base.licenceFiles.map(code).join(', ');
  const stated =
    id === null
      ? null
      : `The base model's card names its licence: ${plain(name ?? id)}${link === null ? '' : ` (${plain(link)})`}.`;
  const where =
    files === ''
      ? `No licence file came with the base model: see \`LICENSE\` here for where to look.`
      : `Its terms lie beside this file: ${files}.`;
  return [
    '## Licence',
    '',
    `${stated ?? 'Under which licence the base model may be used is not known here.'} ${where}`,
    'An adapter is a work on top of its base model, whose terms go on to apply; those of the data that it learned from, too.',
  ].join('\n');
}

function nameOf({ candidate, strategy, role }: MeasuredExperiment): string {
  return plain(role === 'champion' ? `champion: ${candidate}` : `${candidate} × ${strategy}`);
}

function share(value: number | undefined): string {
  return value === undefined ? '–' : value.toFixed(3);
}

function text(value: unknown): string {
  return Array.isArray(value) ? value.map(String).join(', ') || 'default' : String(value);
}

function code(value: string): string {
  return `\`${value.replaceAll('`', "'")}\``;
}

/** No name or reason may end a line or start markup of its own. */
function plain(value: string): string {
  return value.replace(/\s+/g, ' ').replace(/[|<>*`]/g, (mark) => `\\${mark}`);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
