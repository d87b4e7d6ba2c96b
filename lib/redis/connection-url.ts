import { InvalidOptionError } from '../job/index.js';
import { OBEYED, type OptionKind } from './connection-rules.js';

/**
 * A URL of Redis as plain options. It begins with `redis://`, `rediss://` (TLS) or `unix://` and may have user,
 * password, database and further options behind `?`. An error about it never shows any of it: where the password begins
 * and ends is not known then.
 *
 * @throws InvalidOptionError
 */
export function readUrl(url: string, where: string | undefined): Record<string, unknown> {
  const refuse = (problem: string): never => {
    throw new InvalidOptionError({ option: 'connection', problem, where });
  };
  if (!/^(rediss?|unix):\/\//.test(url)) {
    refuse('must be a URL that begins with redis://, rediss:// or unix://');
  }
  // A password that is not percent-encoded ends where a path, a query or a fragment seems to begin.
  const rest = url.slice(url.indexOf('://') + 3);
  const authority = /^[^/?#]*/.exec(rest)?.[0] ?? '';
  if (rest.includes('#') || rest.slice(authority.length).includes('@')) refuse(ENCODE);
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (!parsed) return refuse(rest.includes('@') ? ENCODE : UNREADABLE);

  const options: Record<string, unknown> = {};
  const [username, password] = [decode(parsed.username), decode(parsed.password)];
  if (username === undefined || password === undefined) refuse(ENCODE);
  if (username) options['username'] = username;
  if (password) options['password'] = password;
  for (const [name, value] of parsed.searchParams) {
    options[name] = valueOf((OBEYED as Record<string, OptionKind>)[name], value);
  }
  const path = decode(parsed.pathname) ?? refuse(UNREADABLE);
  if (url.startsWith('unix:')) return { ...options, path };

  if (path.length > 1) {
    const database = path.slice(1).replace(/\/$/, '');
    if ('db' in options && options['db'] !== valueOf('number', database)) {
      refuse('names two databases: one after the address and one as ?db=');
    }
    options['db'] = valueOf('number', database);
  }
  if (parsed.hostname) options['host'] = parsed.hostname.replace(/^\[|\]$/g, '');
  if (parsed.port) options['port'] = Number(parsed.port);
  if (url.startsWith('rediss:')) options['tls'] ??= {};
  return options;
}

const UNREADABLE = 'is not a URL that can be read: redis://user:password@host:6379/0';
const ENCODE =
  'is not a URL that can be read: percent-encode its user and password (# is %23, / is %2F, ? is %3F, @ is %40, ' +
  '% is %25), for example with encodeURIComponent()';

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** Behind `?` all is text; what does not look like its kind stays text, and is refused as such. */
function valueOf(kind: OptionKind | undefined, text: string): unknown {
  if (kind === 'number') return /^\d+$/.test(text) ? Number(text) : text;
  if (text === 'true') return true;
  return text === 'false' ? false : text;
}
