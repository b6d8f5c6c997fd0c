import pc from 'picocolors';

export type Style = ReturnType<typeof pc.createColors>;

export interface OutputStreams {
  readonly stdout: NodeJS.WriteStream | (NodeJS.WritableStream & { isTTY?: boolean; columns?: number });
  readonly stderr: NodeJS.WriteStream | (NodeJS.WritableStream & { isTTY?: boolean; columns?: number });
}

/** Where a command writes: results on stdout, progress and remarks on stderr, never mixed. */
export interface Output {
  /** One JSON document on stdout; only with `--json`. */
  json(value: unknown): void;
  /** Text for people on stdout; nothing with `--json`. */
  line(text?: string): void;
  /** Progress and remarks on stderr, with `--json` too. */
  note(text: string): void;
  /** A transient line on stderr, redrawn in place; only call when `stderrIsTTY`. */
  transient(text: string): void;
  readonly style: Style;
  readonly isTTY: boolean;
  readonly stderrIsTTY: boolean;
  readonly columns: number;
  readonly asJson: boolean;
}

/** Colours only where someone sees them: a terminal, no `--no-color`, no NO_COLOR. */
export function createOutput(options: {
  json: boolean;
  color: boolean;
  env?: NodeJS.ProcessEnv;
  streams?: OutputStreams;
}): Output {
  const streams = options.streams ?? process;
  const env = options.env ?? process.env;
  const isTTY = streams.stdout.isTTY === true && !options.json;
  const wantsColor = options.color && !env['NO_COLOR'] && env['TERM'] !== 'dumb';
  return {
    json: (value) => {
      if (options.json) streams.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
    },
    line: (text = '') => {
      if (!options.json) streams.stdout.write(`${text}\n`);
    },
    note: (text) => {
      streams.stderr.write(`${text}\n`);
    },
    transient: (text) => {
      streams.stderr.write(`\r\u001b[2K${text}`);
    },
    style: pc.createColors(isTTY && wantsColor),
    isTTY,
    stderrIsTTY: streams.stderr.isTTY === true,
    columns: streams.stdout.columns ?? 100,
    asJson: options.json,
  };
}
