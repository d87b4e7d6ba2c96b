import type { AuditEntry } from '../../observe/index.js';
import { audited } from '../audited.js';
import { confirm } from '../confirm.js';
import { EXIT } from '../exit-codes.js';
import { type Piece, dim, red } from '../output.js';
import type { AddCommand, Runner } from '../program.js';
import type { CommonFlags, Session } from '../run.js';
import { wholeNumber } from '../selection-flags.js';
import { ago } from '../words.js';

/** `nestjs-rq audit` and `suspend`: what operators share. */
export function addDeskCommands(add: AddCommand, run: Runner): void {
  add('audit', 'who did what, from here and from dashboards, the newest first')
    .option('--limit <number>', 'at most so many; default 50')
    .action((flags: AuditFlags) => run(flags, (session) => audit(session, flags)));
  add('suspend', 'no worker takes a job of any queue, Python’s too, until `resume --all`')
    .option('-y, --yes', 'does not ask')
    .action((flags: SuspendFlags) => run(flags, (session) => suspend(session, flags)));
}

interface AuditFlags extends CommonFlags {
  readonly limit?: string;
}

interface SuspendFlags extends CommonFlags {
  readonly yes?: boolean;
}

async function audit({ inspector, output, json }: Session, flags: AuditFlags): Promise<number> {
  const limit = flags.limit === undefined ? 50 : wholeNumber(flags.limit, '--limit');
  const entries = await inspector.desk.audit.entries({ limit });
  if (json) for (const entry of entries) output.json(entry);
  else if (entries.length === 0) output.note(dim('Nobody has done anything.'));
  else {
    const now = new Date();
    output.table(
      COLUMNS,
      entries.map((entry) => rowOf(entry, now)),
    );
  }
  return EXIT.done;
}

function rowOf({ at, who, action, queue, what, count, result, why }: AuditEntry, now: Date) {
  const isBad = result === 'failed' || result === 'refused';
  return [
    ago(at, now),
    who,
    action,
    queue ?? '',
    count ?? '',
    isBad ? red(result) : result,
    [what, why].filter((text) => text !== undefined).join(': '),
  ] satisfies Piece[];
}

async function suspend(session: Session, flags: SuspendFlags): Promise<number> {
  const { inspector, output, json } = session;
  if (!(await confirm(session, 'Stop all queues of this Redis, for all workers?', flags))) {
    output.note('Nothing was done.');
    return EXIT.problem;
  }
  await audited(session, { action: 'suspend', what: 'suspend' }, () => inspector.desk.suspend());
  if (json) output.json({ suspended: true });
  else output.line('No worker takes a job now. nestjs-rq resume --all ends it.');
  return EXIT.done;
}

const COLUMNS = [
  { title: 'WHEN', right: true },
  { title: 'WHO', most: 40 },
  { title: 'ACTION', most: 20 },
  { title: 'QUEUE', most: 30 },
  { title: 'JOBS', right: true },
  { title: 'RESULT' },
  { title: 'WHAT', most: 80 },
];
