import type { QueueFinding, WorkerState } from '../../observe/index.js';
import { audited } from '../audited.js';
import { confirm } from '../confirm.js';
import { CliError, EXIT } from '../exit-codes.js';
import { bold, dim, green, red, yellow } from '../output.js';
import type { AddCommand, Runner } from '../program.js';
import { assertKnownQueues } from '../queue-names.js';
import type { CommonFlags, Session } from '../run.js';
import { bytes, jobs } from '../words.js';

/** `nestjs-rq doctor`: what is wrong, and what to do about it. */
export function addDoctorCommand(add: AddCommand, run: Runner): void {
  add('doctor', 'what is wrong with Redis, queues and workers, each with what to do about it')
    .argument('[queues...]', 'only these')
    .option(
      '--fix',
      'puts jobs of dead workers back, which any living worker of their queue would do',
    )
    .option('--dry-run', 'with --fix: only tells what it would do')
    .option('-y, --yes', 'with --fix: does not ask')
    .action((queues: string[], flags: DoctorFlags) =>
      run(flags, (session) => doctor(session, queues, flags)),
    );
}

interface DoctorFlags extends CommonFlags {
  readonly fix?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

async function doctor(
  session: Session,
  queues: readonly string[],
  flags: DoctorFlags,
): Promise<number> {
  const { inspector, output, json } = session;
  if (!flags.fix && (flags.dryRun || flags.yes)) {
    throw new CliError('--dry-run and --yes go with --fix', EXIT.usage);
  }
  await assertKnownQueues(session, queues);
  const look = () => inspector.findings(queues.length > 0 ? { queues } : {});
  const [server, workers, findings] = await Promise.all([
    inspector.server(),
    inspector.workers(),
    look(),
  ]);
  if (json && !flags.fix) {
    for (const finding of findings) output.json(finding);
    return codeOf(findings);
  }
  if (!json) {
    const { version = '?', role = '?', usedMemory } = server;
    const used = usedMemory === undefined ? '' : `, ${bytes(usedMemory)}`;
    output.line(green('✓ '), `Redis ${version}, ${role === 'master' ? 'primary' : role}${used}`);
    output.line(green('✓ '), versionsOf(workers));
    for (const finding of findings) print(session, finding);
    if (findings.length === 0) output.line(green('✓ '), 'Nothing is wrong.');
    else output.line(dim(count(findings)));
  }
  return flags.fix ? fix(session, findings, flags, look) : codeOf(findings);
}

function codeOf(findings: readonly QueueFinding[]): number {
  return findings.length > 0 ? EXIT.problem : EXIT.done;
}

function count(findings: readonly QueueFinding[]): string {
  return findings.length === 1 ? '1 finding' : `${findings.length} findings`;
}

/** Versions side by side: of the library, of RQ. */
function versionsOf(workers: readonly WorkerState[]): string {
  const living = new Map<string, number>();
  for (const { isAlive, kind, version = '?' } of workers) {
    const what = kind === 'python' ? `Python RQ ${version}` : `nestjs-rq ${version}`;
    if (isAlive) living.set(what, (living.get(what) ?? 0) + 1);
  }
  if (living.size === 0) return 'no worker lives';
  return [...living]
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([what, number]) => `${number} ${number === 1 ? 'worker' : 'workers'} of ${what}`)
    .join(', ');
}

function print({ output }: Session, { severity, queue, sentence, fix: how }: QueueFinding): void {
  const mark = severity === 'warning' ? yellow('! ') : red('✗ ');
  const place = queue === undefined ? [] : [bold(queue), ': '];
  output.line(mark, ...place, sentence, dim(' → '), how);
}

/** What is safe whatever the reason is: recovery does the same as soon as a worker lives. */
async function fix(
  session: Session,
  findings: readonly QueueFinding[],
  flags: DoctorFlags,
  look: () => Promise<readonly QueueFinding[]>,
): Promise<number> {
  const { inspector, output, json } = session;
  const names = new Set(
    findings.filter(({ code }) => FIXED.has(code)).map(({ queue = '' }) => queue),
  );
  if (names.size === 0) {
    output.note('There is nothing that --fix can do: see what each finding says.');
    return codeOf(findings);
  }
  const list = [...names].join(', ');
  if (flags.dryRun) {
    if (json) for (const queue of names) output.json({ queue, dryRun: true });
    else output.line(`It would put jobs of dead workers back into ${list}.`);
    return codeOf(findings);
  }
  if (!(await confirm(session, `Put jobs of dead workers back into ${list}?`, flags))) {
    output.note('Nothing was done.');
    return EXIT.problem;
  }
  for (const queue of names) {
    output.note(dim(`Looking whether a worker of ${queue} lives; up to 30 seconds.`));
    const { requeued, left } = await audited(
      session,
      { action: 'recover', queue },
      () => inspector.desk.recover(queue),
      (recovered) => recovered.requeued,
    );
    if (json) output.json({ queue, requeued, left });
    else {
      const rest = left > 0 ? `, ${left} left: their worker may live` : '';
      output.line(`${queue}: ${jobs(requeued)} put back${rest}.`);
    }
  }
  const after = await look();
  if (!json && after.length > 0) output.line(dim(`${count(after)} left`));
  return codeOf(after);
}

const FIXED: ReadonlySet<string> = new Set(['ended-leases', 'popped']);
