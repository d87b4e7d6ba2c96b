import type { JobEvent } from '../../observe/index.js';
import { EXIT } from '../exit-codes.js';
import { type Piece, dim, red, yellow } from '../output.js';
import type { AddCommand, Runner } from '../program.js';
import { assertKnownQueues } from '../queue-names.js';
import type { CommonFlags, Session } from '../run.js';
import { wholeNumber } from '../selection-flags.js';
import { time } from '../words.js';

/** `nestjs-rq events`: what becomes of jobs, as it happens. */
export function addEventsCommand(add: AddCommand, run: Runner): void {
  add(
    'events',
    'what becomes of jobs, as it happens, until Ctrl-C; workers of these queues tell it meanwhile',
  )
    .argument('<queues...>')
    .option('--type <types>', 'only these, with commas: started, finished, retrying, failed, ...')
    .option('--name <job>', 'only jobs of this name')
    .option('--limit <number>', 'ends after so many')
    .action((queues: string[], flags: EventsFlags) =>
      run(flags, (session) => events(session, queues, flags)),
    );
}

interface EventsFlags extends CommonFlags {
  readonly type?: string;
  readonly name?: string;
  readonly limit?: string;
}

async function events(
  session: Session,
  queues: readonly string[],
  flags: EventsFlags,
): Promise<number> {
  const { inspector, output, io, json } = session;
  await assertKnownQueues(session, queues);
  const types = flags.type?.split(',');
  const isMeant = ({ type, name }: JobEvent) =>
    (types?.includes(type) ?? true) && (flags.name === undefined || name === flags.name);
  let left = flags.limit === undefined ? Infinity : wholeNumber(flags.limit, '--limit');
  await new Promise<void>((resolve, reject) => {
    const subscriptions = queues.map((queue) => {
      const onListening = () => output.note(dim(`Listening to ${queue}.`));
      return inspector
        .queue(queue)
        .events({ onListening })
        .subscribe({ next: show, error: reject });
    });
    const end = () => {
      for (const subscription of subscriptions) subscription.unsubscribe();
      resolve();
    };
    io.signal.addEventListener('abort', end);
    function show(event: JobEvent): void {
      if (!isMeant(event) || left <= 0) return;
      left -= 1;
      if (json) output.json(event);
      else output.line(...piecesOf(event));
      if (left <= 0) end();
    }
  });
  return EXIT.done;
}

function piecesOf(event: JobEvent): Piece[] {
  const { type, queue, name, jobId, attempt, at } = event;
  const clock = at.toISOString().slice(11, 23);
  const word = type.padEnd(9);
  const shown =
    type === 'failed' || type === 'exhausted' || type === 'lost'
      ? red(word)
      : type === 'retrying' || type === 'canceled'
        ? yellow(word)
        : word;
  const rest = 'error' in event ? `  ${event.error.name}: ${event.error.message}` : '';
  const took = 'duration' in event ? `  ${time(event.duration)}` : '';
  return [
    dim(clock),
    '  ',
    shown,
    '  ',
    `${queue}  ${name || '(pickle)'}  `,
    dim(jobId),
    `  #${attempt}${took}${rest}`,
  ];
}
