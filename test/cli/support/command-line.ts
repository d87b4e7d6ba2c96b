// Runs the command line inside of the test's process, with streams of its own in place of a terminal.
import { PassThrough, Writable } from 'node:stream';
import type { Io } from '../../../lib/cli/io.js';
import { runCli } from '../../../lib/cli/run.js';

export interface Run {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** What sits at the terminal types; undefined: there is no terminal. */
  readonly typed?: string;
  readonly signal?: AbortSignal;
  /** Hears what is written, as it is. */
  readonly onOutput?: (text: string) => void;
  readonly onError?: (text: string) => void;
  /** Gets the way to type while it runs. */
  readonly onInput?: (type: (text: string) => void) => void;
}

class Sink extends Writable {
  text = '';

  constructor(
    readonly isTTY: boolean,
    private readonly heard: (text: string) => void = () => {},
  ) {
    super({ decodeStrings: false });
  }

  override _write(chunk: string | Buffer, _: BufferEncoding, done: () => void): void {
    this.text += chunk.toString();
    this.heard(chunk.toString());
    done();
  }
}

export async function commandLine(
  words: readonly string[],
  options: RunOptions = {},
): Promise<Run> {
  const { env = {}, typed, signal = new AbortController().signal } = options;
  const isTTY = typed !== undefined;
  const stdin = Object.assign(new PassThrough(), { isTTY });
  const stdout = new Sink(isTTY, options.onOutput);
  const stderr = new Sink(isTTY, options.onError);
  options.onInput?.((text) => stdin.write(text));
  if (typed !== undefined) stdin.write(typed);
  const io: Io = { env, stdin, stdout, stderr, signal };
  const code = await runCli(words, io);
  return { code, out: stdout.text, err: stderr.text };
}
