import { audited } from '../audited.js';
import { EXIT } from '../exit-codes.js';
import { type Piece, dim, red, yellow } from '../output.js';
import type { AddCommand, Runner } from '../program.js';
import type { CommonFlags, Session } from '../run.js';
import { ago } from '../words.js';

/** `nestjs-rq alerts`: what people are to be told now. */
export function addAlertsCommand(add: AddCommand, run: Runner): void {
  add('alerts', 'what people are to be told now, and mutes it')
    .option('--check', 'exit code 1 when there is one, or when nobody looks for them')
    .option('--mute <id>', 'nobody is told of this one for a while')
    .option('--for <time>', 'with --mute; default 1h, 0 ends it')
    .action((flags: AlertsFlags) => run(flags, (session) => alerts(session, flags)));
}

interface AlertsFlags extends CommonFlags {
  readonly check?: boolean;
  readonly mute?: string;
  readonly for?: string;
}

async function alerts(session: Session, flags: AlertsFlags): Promise<number> {
  const { inspector, output, json } = session;
  if (flags.mute !== undefined) return mute(session, flags.mute, flags.for);
  const [all, isWatched] = await Promise.all([inspector.alerts(), inspector.isWatched()]);
  if (json) for (const alert of all) output.json(alert);
  else {
    const now = new Date();
    const rows = all.map(({ id, severity, state, since, sentence }): Piece[] => [
      state === 'muted' ? dim('muted') : severity === 'critical' ? red(severity) : yellow(severity),
      ago(since, now),
      id,
      sentence,
    ]);
    if (rows.length > 0) output.table(COLUMNS, rows);
    else output.note(dim('There are none.'));
  }
  if (!isWatched) {
    output.note(
      yellow('! '),
      'No application with nestjs-rq looks for alerts: this is what was known last.',
    );
  }
  const isWrong = !isWatched || all.some(({ state }) => state === 'firing');
  return flags.check && isWrong ? EXIT.problem : EXIT.done;
}

async function mute(session: Session, id: string, lasts: string | undefined): Promise<number> {
  const { inspector, output, json } = session;
  const time = lasts === '0' ? 0 : lasts;
  await audited(session, { action: 'mute', what: id }, () =>
    inspector.muteAlert(id, time === undefined ? {} : { for: time }),
  );
  if (json) output.json({ id, muted: time !== 0 });
  else
    output.line(
      time === 0 ? `${id} is told again.` : `Nobody is told of ${id} for ${lasts ?? '1h'}.`,
    );
  return EXIT.done;
}

const COLUMNS = [
  { title: 'SEVERITY' },
  { title: 'SINCE', right: true },
  { title: 'ALERT', most: 60 },
  { title: 'WHAT', most: 160 },
];
