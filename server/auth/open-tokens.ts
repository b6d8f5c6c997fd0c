import type { Config } from '../../config/config.ts';
import { readTokens } from '../../config/tokens-file.ts';
import { InvalidInputError } from '../../domain/errors.ts';
import type { Log } from '../log.ts';
import { isLoopback } from './access.ts';
import { ensureOwnToken } from './own-token.ts';
import { TokenTable } from './token-table.ts';

type GatewayConfig = Config['gateway'];

/** Throws where anybody on the network could send calls, read and approve. */
export async function refuseOpenDoor({ host, tokensFile }: GatewayConfig): Promise<void> {
  if ((await readTokens(tokensFile)).length > 0 || isLoopback(host)) return;
  throw new InvalidInputError(
    `FLYWHEEL_GATEWAY_HOST is ${host}, which others can reach, and ${tokensFile} holds no token. Make one first, such as \`npx flywheel token create --client web --role ingest\`, or listen on 127.0.0.1.`,
  );
}

/** The tokens of this gateway; says in the log whether it asks for them. */
export async function openTokens(config: GatewayConfig, log: Log): Promise<TokenTable> {
  const own = config.ownToken ?? (await ensureOwnToken(config.ownTokenFile));
  const tokens = await TokenTable.open({ file: config.tokensFile, own, log });
  if (tokens.required) log.info('tokens_required', { tokens: tokens.size });
  else
    log.warn('open_local_mode', {
      meaning: 'No tokens: everybody on this machine may send calls, read, start runs and approve.',
      remedy: 'npx flywheel token create --client NAME --role ROLE',
    });
  return tokens;
}
