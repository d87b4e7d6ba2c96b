import { audited } from '../audited.js';
import { confirm } from '../confirm.js';
import { CliError, EXIT } from '../exit-codes.js';
import type { AddCommand, Runner } from '../program.js';
import { NEW_QUEUE, type NewQueueFlags, assertKnownQueues } from '../queue-names.js';
import type { CommonFlags, Session } from '../run.js';
import { jobs } from '../words.js';

/** `nestjs-rq pause`, `resume`, `empty`: what is done to a whole queue. */
export function addQueueCommands(add: AddCommand, run: Runner): void {
  add('pause', 'no Nest worker takes a job of these queues; running ones go on')
    .argument('<queues...>')
    .option(...NEW_QUEUE)
    .action((queues: string[], flags: PauseFlags) =>
      run(flags, async (session) => {
        if (!flags.newQueue) await assertKnownQueues(session, queues, { orNew: true });
        return pause(session, queues, true);
      }),
    );
  add('resume', 'workers take jobs of these queues again')
    .argument('[queues...]')
    .option('--all', 'ends `suspend`, and RQ’s `rq suspend`; paused queues stay paused')
    .action((queues: string[], flags: ResumeFlags) =>
      run(flags, (session) => resume(session, queues, flags)),
    );
  add('empty', 'deletes the waiting jobs of a queue, not the running, scheduled or ended ones')
    .argument('<queue>')
    .option('--dry-run', 'only tells how many it would be')
    .option('-y, --yes', 'does not ask')
    .action((queue: string, flags: EmptyFlags) =>
      run(flags, (session) => empty(session, queue, flags)),
    );
}

interface EmptyFlags extends CommonFlags {
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

interface PauseFlags extends CommonFlags, NewQueueFlags {}

interface ResumeFlags extends CommonFlags {
  readonly all?: boolean;
}

async function resume(session: Session, names: readonly string[], { all }: ResumeFlags) {
  const { inspector, output, json } = session;
  if (all !== true && names.length === 0)
    throw new CliError('Give names of queues, or --all after `suspend`.', EXIT.usage);
  await assertKnownQueues(session, names);
  if (all) {
    const deed = { action: 'suspend', what: 'resume' };
    await audited(session, deed, () => inspector.desk.resume());
    if (json) output.json({ suspended: false });
    else output.line('Workers take jobs again, but of paused queues.');
  }
  return pause(session, names, false);
}

async function pause(session: Session, names: readonly string[], on: boolean) {
  const { inspector, output, json } = session;
  for (const name of names) {
    const queue = inspector.queue(name);
    const was = await queue.isPaused();
    const deed = { action: on ? 'pause' : 'resume', queue: name };
    await audited(session, deed, () => (on ? queue.pause() : queue.resume()));
    const state = on ? 'paused' : 'not paused';
    if (json) output.json({ queue: name, paused: on, wasPaused: was });
    else output.line(was === on ? `${name} was ${state} already.` : `${name} is ${state} now.`);
  }
  return EXIT.done;
}

async function empty(session: Session, name: string, flags: EmptyFlags): Promise<number> {
  const { inspector, output, json } = session;
  await assertKnownQueues(session, [name]);
  const queue = inspector.queue(name);
  const count = await queue.count();
  if (flags.dryRun || count === 0) {
    if (json) output.json({ count, dryRun: flags.dryRun === true });
    else output.line(count === 0 ? 'No job waits.' : `It would be ${jobs(count)}.`);
    return EXIT.done;
  }
  if (!(await confirm(session, `Delete ${jobs(count)} that wait in ${name}?`, flags))) {
    output.note('Nothing was done.');
    return EXIT.problem;
  }
  const deed = { action: 'empty', queue: name };
  const deleted = await audited(session, deed, () => queue.empty(), Number);
  if (json) output.json({ deleted });
  else output.line(`${jobs(deleted)} deleted.`);
  return EXIT.done;
}
