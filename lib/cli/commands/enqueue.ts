import { readFileSync } from 'node:fs';
import { audited } from '../audited.js';
import { CliError, EXIT } from '../exit-codes.js';
import type { AddCommand, Runner } from '../program.js';
import { NEW_QUEUE, type NewQueueFlags, assertKnownQueues } from '../queue-names.js';
import type { CommonFlags, Session } from '../run.js';

/** `nestjs-rq enqueue`: one job, by hand. */
export function addEnqueueCommand(add: AddCommand, run: Runner): void {
  add('enqueue', 'enqueues a job')
    .argument('<queue>')
    .argument('<job>', 'its name')
    .argument('[data]', "JSON; '-' reads it from stdin")
    .option('--delay <time>', 'it runs after that: 10m')
    .option('--at <date>', 'it runs at that time: 2026-03-01T09:00')
    .option('--id <id>', 'its id; with one that exists nothing happens')
    .option('--front', 'to the head of the queue')
    .option('--priority <level>', 'high, normal or low')
    .option('--key <key>', 'whose turn it is')
    .option('--run-for <time>', 'for how long it may run at most')
    .option('--retry <number>', 'how often it runs again at most')
    .option('--wait <time>', 'waits for its result, and shows it')
    .option(...NEW_QUEUE)
    .action((queue: string, name: string, data: string | undefined, flags: EnqueueFlags) =>
      run(flags, (session) => enqueue(session, queue, name, data, flags)),
    );
}

interface EnqueueFlags extends CommonFlags, NewQueueFlags {
  readonly delay?: string;
  readonly at?: string;
  readonly id?: string;
  readonly front?: boolean;
  readonly priority?: string;
  readonly key?: string;
  // `timeout` is that of the connection.
  readonly runFor?: string;
  readonly retry?: string;
  readonly wait?: string;
}

async function enqueue(
  session: Session,
  queue: string,
  name: string,
  data: string | undefined,
  flags: EnqueueFlags,
): Promise<number> {
  const { inspector, output, json } = session;
  const value = dataOf(data);
  const options = optionsOf(flags);
  if (!flags.newQueue) await assertKnownQueues(session, [queue], { orNew: true });
  const deed = { action: 'enqueue', queue, what: name };
  const job = await audited(session, deed, () =>
    inspector.queue(queue).enqueue(name, value, options),
  );
  const { id } = job;
  const isNew = job.isNew !== false;
  if (flags.wait === undefined) {
    if (json) output.json({ id, queue, isNew });
    else output.line(isNew ? `Enqueued as ${id}.` : `There was a job ${id} already.`);
    return EXIT.done;
  }
  const result = await job.result({ timeout: flags.wait });
  if (json) output.json({ id, queue, isNew, result });
  else output.line(JSON.stringify(result) ?? 'null');
  return EXIT.done;
}

function dataOf(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  const json = text === '-' ? readFileSync(0, 'utf8') : text;
  try {
    return JSON.parse(json);
  } catch {
    throw new CliError('The data must be JSON, such as \'{"path":"cat.png"}\'.', EXIT.usage);
  }
}

function optionsOf({ delay, at, id, front, priority, key, runFor, retry }: EnqueueFlags): object {
  const date = at === undefined ? undefined : new Date(at);
  if (date && Number.isNaN(date.getTime())) {
    throw new CliError('--at must be a date such as 2026-03-01T09:00', EXIT.usage);
  }
  const given = {
    delay,
    at: date,
    id,
    atFront: front,
    priority,
    key,
    timeout: runFor,
    retry: retry === undefined ? undefined : { max: Number(retry) },
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}
