import { readFileSync } from 'node:fs';
import type * as Rq from '../observe/index.js';
import { CliError, EXIT } from './exit-codes.js';
import type { Io } from './io.js';
import type { Output } from './output.js';

/** Options that every command has. */
export interface ConnectionFlags {
  readonly url?: string;
  readonly prefix?: string;
  readonly passwordFile?: string;
  readonly timeout?: string;
  readonly cluster?: boolean;
  readonly layout?: string;
}

/**
 * Connects to the Redis that is meant: `--url`, or RQ_REDIS_URL (RQ's own), or REDIS_URL, or the one of this machine. No
 * URL is ever printed.
 * @throws RqConnectionError, InvalidOptionError, CliError
 */
export async function connect(
  rq: typeof Rq,
  flags: ConnectionFlags,
  io: Io,
  output: Output,
): Promise<Rq.ConnectedInspector> {
  const { url, prefix, passwordFile, timeout = '5', cluster, layout } = flags;
  const given = url ?? (io.env['RQ_REDIS_URL'] || io.env['REDIS_URL'] || LOCAL);
  if (url !== undefined && hasPassword(url)) {
    output.note(
      'Whoever may list processes sees the password: better give RQ_REDIS_URL or --password-file.',
    );
  }
  const connection = passwordFile === undefined ? given : withPassword(given, passwordFile);
  const seconds = Number(timeout);
  if (!(seconds > 0 && seconds <= LONGEST_TIMEOUT)) {
    throw new CliError('--timeout must be a number of seconds, at most 600', EXIT.usage);
  }
  if (layout !== undefined && layout !== 'shared' && layout !== 'cluster') {
    throw new CliError('--layout must be shared or cluster', EXIT.usage);
  }
  return rq.connectInspector(cluster ? { cluster: { nodes: [connection] } } : connection, {
    connectTimeout: seconds,
    commandTimeout: seconds,
    ...(prefix === undefined ? {} : { prefix }),
    ...(layout === undefined ? {} : { layout }),
  });
}

const LOCAL = 'redis://localhost:6379';
const LONGEST_TIMEOUT = 600;

function hasPassword(url: string): boolean {
  return URL.canParse(url) && new URL(url).password !== '';
}

function withPassword(url: string, file: string): string {
  let password: string;
  try {
    password = readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    const why =
      error instanceof Error && 'code' in error ? String(error.code) : 'it cannot be read';
    throw new CliError(`--password-file cannot be read: ${why}`, EXIT.usage);
  }
  if (!URL.canParse(url)) throw new CliError('--url is no URL', EXIT.usage);
  const parsed = new URL(url);
  parsed.password = encodeURIComponent(password);
  return parsed.href;
}
