import { readFileSync } from 'node:fs';
import { whoSitsHere } from '../audited.js';
import { CliError, EXIT } from '../exit-codes.js';
import type { AddCommand, Runner } from '../program.js';
import type { CommonFlags, Session } from '../run.js';

/** `nestjs-rq dashboard`: the dashboard for whoever sits at this machine, until Ctrl-C. */
export function addDashboardCommand(add: AddCommand, run: Runner): void {
  add('dashboard', 'serves the dashboard on this machine; the address that it prints works once')
    .argument('[url]', 'Redis, as --url')
    .option('--port <number>', 'default: a free one')
    .option('--host <address>', 'default 127.0.0.1; any other needs --login and --login-file')
    .option('--login <name>', 'who may come from other machines')
    .option('--login-file <file>', 'a file with the password of --login')
    .option('--read-only', 'nothing can be changed')
    .option('--environment <name>', 'shown beside the name; production in red')
    .action((url: string | undefined, flags: DashboardFlags) =>
      run(url === undefined ? flags : { ...flags, url }, (session) => serve(session, flags)),
    );
}

interface DashboardFlags extends CommonFlags {
  readonly port?: string;
  readonly host?: string;
  readonly login?: string;
  readonly loginFile?: string;
  readonly readOnly?: boolean;
  readonly environment?: string;
}

async function serve({ inspector, output, io }: Session, flags: DashboardFlags): Promise<number> {
  const { host, environment, readOnly } = flags;
  const login = loginOf(flags);
  if (host !== undefined && !LOOPBACK.test(host) && login === undefined) {
    const message = '--host other than this machine needs --login and --login-file';
    throw new CliError(message, EXIT.usage);
  }
  // Only now: no other command needs it.
  const { serveDashboard } = await import('../../dashboard/server/index.js');
  const served = await serveDashboard(inspector, {
    who: whoSitsHere(),
    port: portOf(flags.port),
    readOnly: readOnly ?? false,
    ...(host === undefined ? {} : { host }),
    ...(login === undefined ? {} : { login }),
    ...(environment === undefined ? {} : { environment }),
  });
  output.line(served.url);
  output.note('Ctrl-C ends it.');
  await new Promise<void>((resolve) => {
    if (io.signal.aborted) resolve();
    else io.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  await served.close();
  return EXIT.done;
}

const LOOPBACK = /^(localhost|127\.0\.0\.1|::1)$/;

function portOf(text: string | undefined): number {
  const port = Number(text ?? 0);
  if (Number.isInteger(port) && port >= 0 && port < 65_536) return port;
  throw new CliError('--port must be a number up to 65535', EXIT.usage);
}

function loginOf({ login, loginFile }: DashboardFlags) {
  if (login === undefined || loginFile === undefined) return undefined;
  try {
    return { user: login, password: readFileSync(loginFile, 'utf8').replace(/\r?\n$/, '') };
  } catch {
    throw new CliError('--login-file cannot be read', EXIT.usage);
  }
}
