import { styleText } from 'node:util';
import type { Io } from './io.js';

/**
 * Everything that is printed goes through here. Names, ids and errors of jobs come from strangers: each piece is cleaned
 * of what a terminal obeys before it gets a colour of ours.
 */
export class Output {
  private readonly hasColor: boolean;

  /** @param clean makes a text one line without anything that a terminal obeys */
  constructor(
    private readonly io: Io,
    private readonly clean: (text: string) => string,
  ) {
    const { env, stdout } = io;
    this.hasColor = stdout.isTTY === true && !env['NO_COLOR'] && env['TERM'] !== 'dumb';
  }

  /** For people: somebody sits at a terminal. */
  get isTerminal(): boolean {
    return this.io.stdout.isTTY === true;
  }

  get width(): number {
    return this.io.stdout.columns ?? 120;
  }

  line(...pieces: readonly Piece[]): void {
    this.io.stdout.write(`${this.text(pieces)}\n`);
  }

  /** What is not the result itself: hints, progress, questions. */
  note(...pieces: readonly Piece[]): void {
    this.io.stderr.write(`${this.text(pieces)}\n`);
  }

  /** One value as one line of JSON, in which nothing is left that a terminal obeys. */
  json(value: unknown): void {
    const text = JSON.stringify(value) ?? 'null';
    this.io.stdout.write(`${text.replace(UNPRINTED, escaped)}\n`);
  }

  /** Rows under a header, in columns as wide as they need. */
  table(columns: readonly Column[], rows: readonly (readonly Piece[])[]): void {
    for (const line of this.tableLines(columns, rows)) this.io.stdout.write(`${line}\n`);
  }

  tableLines(columns: readonly Column[], rows: readonly (readonly Piece[])[]): string[] {
    const cells = rows.map((row) => row.map((cell) => this.plain(cell)));
    const widths = columns.map(({ title }, at) => {
      const widest = Math.max(title.length, ...cells.map((row) => widthOf(row[at] ?? '')));
      return Math.min(widest, columns[at]?.most ?? Infinity);
    });
    const align = (text: string, at: number) => {
      const width = widths[at] ?? 0;
      const cut = widthOf(text) > width ? `${firstOf(text, width - 1)}…` : text;
      const gap = ' '.repeat(Math.max(0, width - widthOf(cut)));
      return columns[at]?.right ? gap + cut : cut + gap;
    };
    const header = columns.map(({ title }, at) => align(title, at)).join('  ');
    const lines = rows.map((row, index) =>
      row
        .map((cell, at) => this.styled(align(cells[index]?.[at] ?? '', at), cell))
        .join('  ')
        .trimEnd(),
    );
    return [this.styled(header.trimEnd(), dim('')), ...lines];
  }

  text(pieces: readonly Piece[]): string {
    return pieces.map((piece) => this.styled(this.plain(piece), piece)).join('');
  }

  private plain(piece: Piece): string {
    return this.clean(typeof piece === 'object' ? piece.text : String(piece));
  }

  private styled(text: string, piece: Piece): string {
    if (!this.hasColor || typeof piece !== 'object') return text;
    return styleText(piece.style, text, { validateStream: false });
  }
}

/** A text, or one with a style. */
export type Piece = string | number | { readonly text: string; readonly style: Style };

type Style = 'dim' | 'bold' | 'red' | 'yellow' | 'green' | 'cyan';

export interface Column {
  readonly title: string;
  /** Figures stand at the right. */
  readonly right?: boolean;
  /** Characters; what is longer is cut. */
  readonly most?: number;
}

export const dim = (text: string | number): Piece => ({ text: String(text), style: 'dim' });
export const bold = (text: string | number): Piece => ({ text: String(text), style: 'bold' });
export const red = (text: string | number): Piece => ({ text: String(text), style: 'red' });
export const green = (text: string | number): Piece => ({ text: String(text), style: 'green' });
export const yellow = (text: string | number): Piece => ({ text: String(text), style: 'yellow' });

/** As much of a text as has room in so many columns. */
function firstOf(text: string, width: number): string {
  let first = '';
  for (const character of text) {
    if (widthOf(first + character) > width) break;
    first += character;
  }
  return first;
}

/** Columns of a terminal, near enough: what East Asia writes wide takes two. */
function widthOf(text: string): number {
  let width = 0;
  for (const character of text) width += WIDE.test(character) ? 2 : MARK.test(character) ? 0 : 1;
  return width;
}

const WIDE =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}]/u;
const MARK = /\p{Mn}/u;

/** Control characters, halves of characters, separators, marks of writing direction. */
const UNPRINTED = /[\p{Cc}\p{Cs}\p{Cf}\p{Zl}\p{Zp}]/gu;

function escaped(character: string): string {
  return [...Array(character.length).keys()]
    .map((at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`)
    .join('');
}
