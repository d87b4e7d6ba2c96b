import { type Server, createServer } from 'node:http';
import { CliError, EXIT } from '../exit-codes.js';
import { dim } from '../output.js';
import type { AddCommand, Runner } from '../program.js';
import type { CommonFlags, Session } from '../run.js';

/** `nestjs-rq metrics`: how queues stand, for Prometheus. */
export function addMetricsCommand(add: AddCommand, run: Runner): void {
  add(
    'metrics',
    'how queues stand, in the text format of Prometheus: once, or at /metrics of a port',
  )
    .option('--port <number>', 'serves it there until Ctrl-C')
    .option('--host <address>', 'with --port; default: all addresses of this machine')
    .option('--compat <exporter>', "rq-exporter: workers as Python's exporter has them, too")
    .action((flags: MetricsFlags) => run(flags, (session) => metrics(session, flags)));
}

interface MetricsFlags extends CommonFlags {
  readonly port?: string;
  readonly host?: string;
  readonly compat?: string;
}

async function metrics(session: Session, flags: MetricsFlags): Promise<number> {
  const { rq, inspector, io, output } = session;
  if (flags.compat !== undefined && flags.compat !== 'rq-exporter') {
    throw new CliError('--compat can be rq-exporter alone', EXIT.usage);
  }
  const isCompatible = flags.compat === 'rq-exporter';
  const made = new rq.RqMetrics({ inspector, figures: undefined, jobLabel: true, isCompatible });
  if (flags.port === undefined) {
    const text = await made.text();
    // A program wants names as they are; a terminal would obey what is in them.
    if (output.isTerminal) for (const line of text.trimEnd().split('\n')) output.line(line);
    else io.stdout.write(text);
    return EXIT.done;
  }
  const port = Number(flags.port);
  if (!(Number.isInteger(port) && port >= 0 && port <= 65_535)) {
    throw new CliError('--port must be a number from 0 to 65535', EXIT.usage);
  }
  const server = createServer((request, response) => {
    const [path] = (request.url ?? '').split('?');
    if (request.method !== 'GET' || (path !== '/metrics' && path !== '/')) {
      response.writeHead(404).end();
      return;
    }
    made.text().then(
      (text) => response.writeHead(200, { 'Content-Type': made.contentType }).end(text),
      // Prometheus sees that it is down; nothing of the error is for strangers.
      () => response.writeHead(503).end(),
    );
  });
  await serve(session, server, port, flags.host);
  return EXIT.done;
}

async function serve(
  { io, output }: Session,
  server: Server,
  port: number,
  host: string | undefined,
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.on('error', (error: NodeJS.ErrnoException) => {
      reject(new CliError(`It cannot listen there: ${error.code ?? error.message}`, EXIT.problem));
    });
    server.listen(port, host, () => {
      const address = server.address();
      const at = typeof address === 'object' && address ? address.port : port;
      output.note(dim(`Metrics are at port ${at}, /metrics`));
    });
    io.signal.addEventListener('abort', () => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  });
}
