import { randomBytes } from 'node:crypto';
import { type Command, InvalidArgumentError } from 'commander';
import { readTokens } from '../../config/tokens-file.ts';
import { type Role, roles } from '../../domain/access/role.ts';
import { newToken, type Token } from '../../domain/access/token.ts';
import { ClientName, problemOf } from '../../domain/access/tokens-file.schema.ts';
import { InvalidInputError } from '../../domain/errors.ts';
import { type Cli, type CommandContext, examples } from '../command.ts';
import { CommandError } from '../command-error.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { parseList, parseWhole } from '../options.ts';
import { moment } from '../render/format.ts';
import { table } from '../render/table.ts';
import { changeTokens } from '../tokens/change-tokens.ts';

export function registerToken(program: Command, cli: Cli): void {
  const token = program
    .command('token')
    .description('Say who may use the gateway and its API: make, list and revoke tokens')
    .addHelpText(
      'after',
      examples([
        'flywheel token create --client web --role ingest',
        'flywheel token create --client ana --role read,approve --expires 90',
        'flywheel token list',
        'flywheel token revoke 3f9c0a1b2d4e',
      ]),
    );
  registerCreate(token, cli);
  registerList(token, cli);
  registerRevoke(token, cli);
}

interface CreateOptions {
  readonly client: string;
  readonly role: readonly Role[];
  readonly expires?: number;
  readonly rateLimit?: number;
}

function registerCreate(token: Command, cli: Cli): void {
  token
    .command('create')
    .description('Make a token; its text is shown once and never stored')
    .requiredOption(
      '--client <name>',
      'who holds it: an application (the client of what it logs) or a person (the actor of decisions); * for a proxy that names its clients itself',
      parseClient,
    )
    .requiredOption('--role <roles>', `what it may do, several by commas: ${roles.join(', ')}`, parseRoles)
    .option('--expires <days>', 'after so many days (default: never)', parseWhole(1))
    .option('--rate-limit <n>', 'requests a minute (default: FLYWHEEL_RATE_LIMIT)', parseWhole(1))
    .addHelpText(
      'after',
      examples([
        'flywheel token create --client web --role ingest --rate-limit 600',
        'flywheel token create --client ana --role read,approve --json',
      ]),
    )
    .action(cli.run(create));
}

async function create({ config, out, hint }: CommandContext, options: CreateOptions): Promise<ExitCode> {
  const { tokensFile } = config().gateway;
  const now = Date.now();
  const { text, token } = newToken(
    { id: randomBytes(6).toString('hex'), secret: randomBytes(32).toString('hex') },
    {
      client: options.client,
      roles: options.role,
      createdAt: new Date(now).toISOString(),
      expiresAt: options.expires === undefined ? null : new Date(now + options.expires * dayMs).toISOString(),
      requestsPerMinute: options.rateLimit ?? null,
    },
  );
  const [problem] = problemOf(token);
  if (problem !== undefined) throw new InvalidInputError(problem);
  let isFirst = false;
  await changeTokens(tokensFile, (tokens) => {
    isFirst = tokens.length === 0;
    return [...tokens, token];
  });
  out.json({ token: text, ...view(token) });
  out.line(text);
  out.note(`Token ${token.id} of ${token.client}: ${token.roles.join(', ')}. Keep it now; it is not stored.`);
  if (isFirst)
    out.note(
      `It is the first one: within a second the gateway of this home asks every caller for a token. See ${hint('token list')}`,
    );
  return exitCodes.ok;
}

function registerList(token: Command, cli: Cli): void {
  token
    .command('list')
    .description('List tokens: who holds each, and what it may do')
    .addHelpText('after', examples(['flywheel token list', 'flywheel token list --json']))
    .action(
      cli.run(async ({ config, out }: CommandContext) => {
        const tokens = await readTokens(config().gateway.tokensFile);
        out.json(tokens.map(view));
        if (tokens.length === 0)
          out.line('No tokens: the gateway answers this machine only, and asks nobody for one.');
        else
          out.line(
            table(
              ['token', 'client', 'roles', '>a minute', 'made', 'expires'],
              tokens.map((each) => [
                each.id,
                each.client,
                each.roles.join(', '),
                each.requestsPerMinute === null ? '–' : String(each.requestsPerMinute),
                moment(each.createdAt),
                each.expiresAt === null ? 'never' : moment(each.expiresAt),
              ]),
            ),
          );
        return exitCodes.ok;
      }),
    );
}

function registerRevoke(token: Command, cli: Cli): void {
  token
    .command('revoke')
    .argument('<id>', 'the token’s id, as list shows it: the middle part of its text')
    .description('Take a token back; it stops working within a second')
    .addHelpText('after', examples(['flywheel token revoke 3f9c0a1b2d4e']))
    .action(
      cli.run(async ({ config, out, hint }: CommandContext, id: string) => {
        await changeTokens(config().gateway.tokensFile, (tokens) => {
          if (tokens.some((each) => each.id === id)) return tokens.filter((each) => each.id !== id);
          throw new CommandError(`There is no token "${id}".`, {
            code: 'not_found',
            next: `See \`${hint('token list')}\`.`,
          });
        });
        out.json({ revoked: id });
        out.line(`Revoked ${id}.`);
        return exitCodes.ok;
      }),
    );
}

const dayMs = 24 * 60 * 60 * 1000;

function view(token: Token): Omit<Token, 'sha256'> {
  const { id, client, roles: held, createdAt, expiresAt, requestsPerMinute } = token;
  return { id, client, roles: held, createdAt, expiresAt, requestsPerMinute };
}

function parseClient(text: string): string {
  const parsed = ClientName.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new InvalidArgumentError(`It ${parsed.error.issues[0]?.message ?? 'cannot be used'}.`);
}

function parseRoles(text: string): Role[] {
  const asked = parseList(text);
  const unknown = asked.find((role) => !(roles as readonly string[]).includes(role));
  if (unknown !== undefined)
    throw new InvalidArgumentError(`There is no role "${unknown}"; there are ${roles.join(', ')}.`);
  return roles.filter((role) => asked.includes(role));
}
