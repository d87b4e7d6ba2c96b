#!/usr/bin/env node
import process from 'node:process';
import { runCli } from './run.js';

/** The program `nestjs-rq`. */

const INTERRUPTED = 130;
const stop = new AbortController();
process.once('SIGINT', () => {
  stop.abort();
  // Whoever presses it twice does not want to wait.
  process.once('SIGINT', () => process.exit(INTERRUPTED));
});
// `nestjs-rq jobs | head`: nobody reads any more.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 1);
});

const { env, stdin, stdout, stderr } = process;
process.exitCode = await runCli(process.argv.slice(2), {
  env,
  stdin,
  stdout,
  stderr,
  signal: stop.signal,
});
