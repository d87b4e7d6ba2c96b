import { CliError, EXIT } from '../exit-codes.js';
import { type Piece, bold, dim, red, yellow } from '../output.js';
import type { AddCommand, Runner } from '../program.js';
import type { CommonFlags, Session } from '../run.js';
import { Screen } from '../screen.js';
import { type Asked, pauseOrResume, requeue } from '../top-actions.js';
import { type TopRow, VIEWS, type View, tableOf } from '../top-views.js';

/** `nestjs-rq top`: everything at a terminal, each second, until x. */
export function addTopCommand(add: AddCommand, run: Runner): void {
  add('top', 'queues, failures, workers and alerts at a terminal, each second').action(
    (flags: CommonFlags) => run(flags, (session) => new Top(session).run()),
  );
}

/** What is on the screen, and what the keys make of it. Nothing is done to jobs without a `y`. */
class Top {
  private readonly screen: Screen;
  private view: View = 'queues';
  private filter = '';
  private isTyping = false;
  private isOver = false;
  /** The marked row. */
  private at = 0;
  private rows: readonly TopRow[] = [];
  private asked: Asked | undefined;
  private readonly acting = new Set<Promise<void>>();
  /** What was done last, or went wrong. */
  private told: Piece = '';

  constructor(private readonly session: Session) {
    this.screen = new Screen(session.io);
  }

  async run(): Promise<number> {
    const { output, io } = this.session;
    if (!output.isTerminal)
      throw new CliError('top needs a terminal; info --watch does not.', EXIT.usage);
    this.screen.open((key) => {
      this.press(key);
      this.screen.wake();
    });
    try {
      while (!this.isOver && !io.signal.aborted) {
        this.screen.draw(await this.lines());
        if (!this.isOver) await this.screen.pause(EVERY_MS);
      }
    } finally {
      this.screen.close();
    }
    // What was said yes to is done to its end; Ctrl-C ends that, too.
    await Promise.all(this.acting);
    if (this.told !== '') output.note(this.told);
    return EXIT.done;
  }

  private press(key: string): void {
    if (key === '\u0003') this.isOver = true;
    else if (this.isTyping) this.type(key);
    else if (this.asked) this.answer(key, this.asked);
    else if (key === '/') {
      this.isTyping = true;
      this.filter = '';
    } else if (key === 'x') this.isOver = true;
    else if (key === 'k' || key === UP) this.at = Math.max(0, this.at - 1);
    else if (key === 'j' || key === DOWN) this.at += 1;
    else if (key === '\r') this.lookAtFailures();
    else if (key === 'p' || key === 'r') this.begin(key);
    else this.show(VIEWS[key as keyof typeof VIEWS] ?? this.view);
  }

  private type(key: string): void {
    if (key === '\r' || key === '\u001B') this.isTyping = false;
    else if (key === '\u007F' || key === '\b') this.filter = this.filter.slice(0, -1);
    else if (/^[^\p{C}]$/u.test(key)) this.filter += key;
    this.at = 0;
  }

  private show(view: View): void {
    if (view !== this.view) this.at = 0;
    this.view = view;
  }

  /** Of the marked queue. */
  private lookAtFailures(): void {
    const queue = this.marked()?.queue;
    if (queue === undefined || this.view !== 'queues') return;
    this.filter = queue;
    this.show('failures');
  }

  private marked(): TopRow['about'] {
    return this.rows[this.at]?.about;
  }

  private begin(key: 'p' | 'r'): void {
    const about = this.marked();
    if (!about || (key === 'p' && this.view !== 'queues')) {
      this.told = key === 'p' ? 'Queues can be paused: q.' : 'Queues and failures can be requeued.';
      return;
    }
    this.told = '';
    if (key === 'p') this.asked = pauseOrResume(this.session, about);
    else {
      this.follow(async () => {
        this.asked = await requeue(this.session, about);
        return this.asked ? '' : 'No job has failed there.';
      });
    }
  }

  private answer(key: string, { act }: Asked): void {
    this.asked = undefined;
    if (key === 'y' || key === 'Y') this.follow(() => act((message) => this.tell(message)));
    else this.told = 'Nothing was done.';
  }

  /** The screen goes on meanwhile. */
  private follow(work: () => Promise<string>): void {
    const acting = work()
      .then((message) => this.tell(message))
      .catch((error: unknown) => this.tell(red(messageOf(error))))
      .finally(() => this.acting.delete(acting));
    this.acting.add(acting);
  }

  private tell(message: Piece): void {
    this.told = message;
    this.screen.wake();
  }

  private async lines(): Promise<string[]> {
    const { inspector, output } = this.session;
    try {
      const overview = await inspector.overview({ live: true });
      const table = await tableOf(this.session, this.view, overview);
      const troubles = overview.troubles.map(({ queue, sentence }) =>
        output.text([yellow('! '), bold(queue), ': ', sentence]),
      );
      const all = table.rows.filter(({ cells }) =>
        output.text(cells.map(spaced)).includes(this.filter),
      );
      this.rows = all;
      this.at = Math.max(0, Math.min(this.at, all.length - 1));
      const above = [this.bar(), ...(this.view === 'queues' ? few(troubles) : [])];
      // The header and the last line stand there, too.
      const room = Math.max(1, this.screen.height - above.length - 2);
      const first = Math.max(0, Math.min(this.at - room + 1, all.length - room));
      const [header = '', ...rows] = output.tableLines(
        table.columns,
        all.map(({ cells }) => cells),
      );
      const shown = rows.slice(first, first + room).map((row, index) => {
        return `${first + index === this.at ? MARK : '  '}${row}`;
      });
      return [...above, `  ${header}`, ...shown, this.lastLine()];
    } catch (error) {
      // The screen stays; it goes on when Redis is back.
      return [this.bar(), output.text([red(messageOf(error))])];
    }
  }

  private bar(): string {
    const keys = Object.entries(VIEWS).map(([key, name]) => `${key} ${name}`);
    const { filter, isTyping, view } = this;
    const search = isTyping || filter ? `/ ${filter}${isTyping ? '_' : ''}` : '/ filter';
    const acts = { queues: 'p pause  r requeue failed  ⏎ failures', failures: 'r requeue' };
    const act = view === 'queues' || view === 'failures' ? `  ${acts[view]}` : '';
    return this.session.output.text([
      bold(view),
      dim(`   ${keys.join('  ')}  ${search}${act}  x exit`),
    ]);
  }

  private lastLine(): string {
    const { asked, told, session } = this;
    return session.output.text(asked ? [yellow(`${asked.question} [y/N]`)] : [told]);
  }
}

/** So that a filter does not find the end of a cell and the beginning of the next. */
function spaced(cell: Piece): string {
  return `${typeof cell === 'object' ? cell.text : cell} `;
}

function few(troubles: readonly string[]): readonly string[] {
  if (troubles.length <= MOST_TROUBLES) return troubles;
  const more = troubles.length - MOST_TROUBLES + 1;
  return [...troubles.slice(0, MOST_TROUBLES - 1), `! ${more} more: info shows them all`];
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const EVERY_MS = 1000;
const MOST_TROUBLES = 5;
const MARK = '▸ ';
const UP = '\u001B[A';
const DOWN = '\u001B[B';
