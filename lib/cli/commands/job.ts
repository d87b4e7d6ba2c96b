import type { RqJob } from '../../observe/index.js';
import { audited } from '../audited.js';
import { CliError, EXIT } from '../exit-codes.js';
import { bold, dim, red } from '../output.js';
import type { AddCommand, Runner } from '../program.js';
import type { CommonFlags, Session } from '../run.js';
import { ago, time } from '../words.js';

/** `nestjs-rq job` and `stop`: all of one job. */
export function addJobCommand(add: AddCommand, run: Runner): void {
  add('job', 'shows all of one job: state, data, attempts, log')
    .argument('<id>')
    .option('--no-data', 'without data, result and meta')
    .action((id: string, flags: JobFlags) => run(flags, (session) => job(session, id, flags)));
  add('stop', 'ends a running job: it fails as stopped, without a retry')
    .argument('<id>')
    .action((id: string, flags: CommonFlags) =>
      run(flags, async (session) => {
        const found = await find(session, id);
        const deed = { action: 'stop', queue: found.queue, what: id };
        await audited(session, deed, () => found.stop());
        if (session.json) session.output.json({ id, told: true });
        else session.output.line('Its worker is told.');
        return EXIT.done;
      }),
    );
}

interface JobFlags extends CommonFlags {
  readonly data: boolean;
}

async function find({ inspector }: Session, id: string): Promise<RqJob> {
  const found = await inspector.job(id);
  if (found) return found;
  throw new CliError(`There is no job "${id}": it never was, or its time is over.`, EXIT.notFound);
}

async function job(session: Session, id: string, flags: JobFlags): Promise<number> {
  const { output, json } = session;
  const handle = await find(session, id);
  const [snapshot, attempts, log, position, waits] = await Promise.all([
    read(session, handle),
    handle.results(),
    handle.logs(),
    handle.position(),
    handle.waitsFor(),
  ]);
  const { data, args, kwargs, meta, progress, ...rest } = snapshot;
  if (json) {
    const secret = flags.data ? { data, args, kwargs, meta, progress } : {};
    const told = attempts.map(({ value, ...attempt }) =>
      flags.data ? { ...attempt, value } : attempt,
    );
    output.json({ ...rest, ...secret, position, waits, attempts: told, log });
    return EXIT.done;
  }
  const now = new Date();
  output.line(bold(rest.name ?? '(pickle)'), '  ', id);
  const place = position === undefined ? '' : `, place ${position + 1}`;
  output.line(
    `${rest.queue} · ${rest.status}${place} · ${rest.attempts} ${rest.attempts === 1 ? 'run' : 'runs'}`,
    dim(retries(rest.retriesLeft)),
  );
  for (const [word, date] of Object.entries({
    created: rest.createdAt,
    enqueued: rest.enqueuedAt,
    started: rest.startedAt,
    ended: rest.endedAt,
  })) {
    if (date) output.line(dim(word.padEnd(10)), `${date.toISOString()}  ${ago(date, now)}`);
  }
  if (rest.worker !== undefined) output.line(dim('worker    '), rest.worker);
  if (rest.reason !== undefined) output.line(dim('reason    '), rest.reason);
  if (rest.waitsFor) output.line(dim('depends on'), ' ', JSON.stringify(rest.waitsFor));
  for (const { sentence, until } of waits) {
    const when = until ? dim(`, until ${until.toISOString()}  ${ago(until, now)}`) : '';
    output.line(dim('waits for '), sentence, when);
  }
  if (rest.status === 'queued' && waits.length === 0) output.line(dim('waits for '), 'its turn');
  if (flags.data) {
    for (const [word, value] of Object.entries({ data, meta, progress })) {
      if (value !== undefined && !isEmpty(value))
        output.line(dim(word.padEnd(10)), cut(JSON.stringify(value)));
    }
  }
  for (const attempt of attempts) {
    const { outcome, startedAt, endedAt, error, stack, value } = attempt;
    const ran =
      startedAt && endedAt ? ` after ${time(endedAt.getTime() - startedAt.getTime())}` : '';
    const number = attempt.attempt === undefined ? '' : ` ${attempt.attempt}`;
    output.line(
      dim(`attempt${number}`.padEnd(10)),
      `${outcome}${ran} `,
      error === undefined ? '' : red(error),
    );
    if (outcome === 'finished' && flags.data && value !== undefined)
      output.line('          ', cut(JSON.stringify(value)));
    for (const line of stack?.split('\n').slice(1, 12) ?? [])
      output.line('          ', dim(line.trim()));
  }
  if (log.length > 0) output.line(dim('log'));
  for (const line of log) output.line('  ', line);
  return EXIT.done;
}

type Shown = Partial<Awaited<ReturnType<RqJob['refresh']>>> &
  Pick<Awaited<ReturnType<RqJob['refresh']>>, 'queue' | 'status' | 'attempts'>;

/** What only Python can read is shown without its call. */
async function read({ rq, inspector }: Session, handle: RqJob): Promise<Shown> {
  try {
    return await handle.refresh();
  } catch (error) {
    if (!(error instanceof rq.MalformedJobError)) throw error;
    const { queue, id } = handle;
    const status = await inspector.queue(queue).job(id).status();
    return { id, queue, status, attempts: 0 };
  }
}

function retries(left: number | undefined): string {
  return left === undefined ? '' : ` · ${left} retries left`;
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

function cut(text: string | undefined): string {
  const whole = text ?? '';
  return whole.length > LONGEST ? `${whole.slice(0, LONGEST)}… (--json has all)` : whole;
}

const LONGEST = 2000;
