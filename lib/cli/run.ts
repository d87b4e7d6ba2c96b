import type { Command } from 'commander';
import type * as Rq from '../observe/index.js';
import { type ConnectionFlags, connect } from './connection.js';
import { CliError, EXIT, exitCodeOf } from './exit-codes.js';
import type { Io } from './io.js';
import { Output } from './output.js';
import { buildProgram } from './program.js';

/** What a command works with. */
export interface Session {
  readonly rq: typeof Rq;
  readonly inspector: Rq.ConnectedInspector;
  readonly output: Output;
  readonly io: Io;
  /** For programs: one line of JSON per thing. */
  readonly json: boolean;
}

/** A command, once it is connected; gives its exit code. */
export type Action = (session: Session) => Promise<number>;

/** One run of the command line. @param words what was typed behind `nestjs-rq` @returns the exit code */
export async function runCli(words: readonly string[], io: Io): Promise<number> {
  let code: number = EXIT.done;
  const program = buildProgram(async (flags, action) => {
    // Only now: help and wrong words cost no client of Redis.
    const rq = await import('../observe/index.js');
    const output = new Output(io, rq.cleanLine);
    try {
      const inspector = await connect(rq, flags, io, output);
      try {
        code = await action({ rq, inspector, output, io, json: flags.json === true });
      } finally {
        await inspector.close();
      }
    } catch (error) {
      code = exitCodeOf(error, rq);
      const message = error instanceof Error ? error.message : String(error);
      for (const line of message.split('\n')) output.note(line);
    }
  }, io);
  write(program, io);
  try {
    await program.parseAsync([...words], { from: 'user' });
  } catch (error) {
    if (error instanceof CliError) {
      io.stderr.write(`${error.message}\n`);
      return error.exitCode;
    }
    const { exitCode } = error as { exitCode?: number };
    if (exitCode === undefined) throw error;
    return exitCode === 0 ? EXIT.done : EXIT.usage;
  }
  return code;
}

/** Flags that every command has. */
export interface CommonFlags extends ConnectionFlags {
  readonly json?: boolean;
}

function write(program: Command, io: Io): void {
  const to = {
    writeOut: (text: string) => void io.stdout.write(text),
    writeErr: (text: string) => void io.stderr.write(text),
    getOutHasColors: () => false,
    getErrHasColors: () => false,
  };
  for (const command of [program, ...program.commands]) {
    command.configureOutput(to).exitOverride();
  }
}
