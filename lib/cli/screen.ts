import type { Io } from './io.js';

/**
 * The whole screen of a terminal, for as long as a command wants it: lines that have not changed are not written again,
 * and what stood there before comes back at the end.
 */
export class Screen {
  private shown: string[] = [];
  private onKey: ((key: string) => void) | undefined;
  private resume: (() => void) | undefined;

  constructor(private readonly io: Io) {}

  open(onKey: (key: string) => void): void {
    const { stdin, stdout } = this.io;
    this.onKey = onKey;
    stdin.setRawMode?.(true);
    stdin.on('data', this.read);
    stdin.resume();
    stdout.write(`${ALTERNATE}${HIDE_CURSOR}${HOME}${CLEAR_BELOW}`);
  }

  /** @param lines without line breaks; what has no room is cut */
  draw(lines: readonly string[]): void {
    const { columns = 80 } = this.io.stdout;
    const visible = lines.slice(0, this.height).map((line) => cut(line, columns));
    let text = '';
    for (const [index, line] of visible.entries()) {
      if (this.shown[index] !== line) text += `${at(index)}${line}${CLEAR_LINE}`;
    }
    if (visible.length < this.shown.length) text += `${at(visible.length)}${CLEAR_BELOW}`;
    this.shown = visible;
    if (text !== '') this.io.stdout.write(text);
  }

  /** Waits so many milliseconds, or until `wake`, or the end of the command. */
  async pause(milliseconds: number): Promise<void> {
    const { signal } = this.io;
    if (signal.aborted) return;
    await new Promise<void>((resolve) => {
      this.resume = resolve;
      AbortSignal.any([signal, AbortSignal.timeout(milliseconds)]).addEventListener('abort', () =>
        resolve(),
      );
    });
  }

  wake(): void {
    this.resume?.();
  }

  close(): void {
    const { stdin, stdout } = this.io;
    stdin.off('data', this.read);
    stdin.setRawMode?.(false);
    stdin.pause();
    stdout.write(`${SHOW_CURSOR}${MAIN}`);
  }

  /** How many lines there are to draw on. */
  get height(): number {
    return (this.io.stdout.rows ?? 24) - 1;
  }

  private readonly read = (chunk: Buffer | string): void => {
    // An arrow is several characters, of which the first is that of the escape key.
    for (const [key] of String(chunk).matchAll(KEYS)) this.onKey?.(key);
  };
}

const ALTERNATE = '\u001B[?1049h';
const MAIN = '\u001B[?1049l';
const HIDE_CURSOR = '\u001B[?25l';
const SHOW_CURSOR = '\u001B[?25h';
const HOME = '\u001B[H';
const CLEAR_BELOW = '\u001B[J';
const CLEAR_LINE = '\u001B[K';
// oxlint-disable-next-line no-control-regex -- what a terminal sends for a key
const KEYS = /\u001B\[[\d;]*[A-Za-z~]|\u001BO[A-Z]|[\s\S]/gu;
const at = (row: number) => `\u001B[${row + 1};1H`;

/** As much of a line as has room; the codes of its colors take none. */
function cut(line: string, width: number): string {
  let room = width;
  let shown = '';
  // oxlint-disable-next-line no-control-regex -- the codes of colors, which are our own
  for (const piece of line.split(/(\u001B\[[0-9;]*m)/)) {
    if (piece.startsWith('\u001B')) shown += piece;
    else {
      shown += piece.slice(0, room);
      room -= Math.min(room, piece.length);
    }
  }
  return shown;
}
