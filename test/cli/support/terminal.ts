// Runs the built command line at a real terminal: `script` of util-linux gives it one, and what is typed goes there.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { assertBuilt } from '../../support/children.js';
import { eventually, within } from '../../support/wait.js';

const program = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));

export class Terminal {
  /** All that was written, as the terminal gets it. */
  shown = '';
  private readonly child;
  private readonly ended: Promise<number | null>;

  /**
   * @param words behind `nestjs-rq`
   * @param after a command of the shell that runs behind it at the same terminal
   */
  constructor(words: string, env: Readonly<Record<string, string>>, after = ':') {
    assertBuilt();
    const line = `stty rows 24 cols 100; ${process.execPath} ${program} ${words}; code=$?; ${after}; exit $code`;
    this.child = spawn(
      'script',
      ['--quiet', '--return', '--flush', '--command', line, '/dev/null'],
      {
        env: { PATH: process.env['PATH'] ?? '', TERM: 'xterm', SHELL: '/bin/sh', ...env },
      },
    );
    this.child.stdout.setEncoding('utf8').on('data', (text: string) => (this.shown += text));
    this.ended = new Promise((resolve) => this.child.on('close', resolve));
  }

  type(keys: string): void {
    this.child.stdin.write(keys);
  }

  /** Waits until something is shown that was not before. */
  async sees(what: RegExp | string): Promise<void> {
    const isSeen = () =>
      typeof what === 'string' ? this.shown.includes(what) : what.test(this.shown);
    await eventually(isSeen, { what: `${String(what)} on the terminal`, timeout: 30_000 });
    this.shown = '';
  }

  /** Its exit code. */
  exited(): Promise<number | null> {
    return within(this.ended, { what: 'the command to end', timeout: 30_000 });
  }

  kill(): void {
    this.child.kill('SIGKILL');
  }
}
