// What `npm run sample -- 05-schedules` shows: a report by the clock in two processes, of which one is killed.
import { setTimeout as pause } from 'node:timers/promises';
import { endAllProcesses, reports, startProcess } from './tour-processes.js';

try {
  await tour();
} finally {
  await endAllProcesses();
}

async function tour() {
  say('Two processes with the same schedule: a report each second.');
  const first = startProcess('process-1');
  startProcess('process-2');
  await until('the first reports', () => reports.length >= 3);

  say('SIGKILL for one of them.');
  await first.end('SIGKILL');
  const before = reports.length;
  await until('further reports', () => reports.length >= before + 3);
  check(isOncePerSecond(), `${reports.length} reports, each second one`);

  say('All processes are away for a while.');
  await endAllProcesses();
  const last = Math.max(...reports);
  await until('a few seconds to pass', () => Date.now() > last + 4000);
  startProcess('process-3');
  await until('reports again', () => Math.max(...reports) > last + 4000);
  const late = reports.filter((at) => at > last);
  check(late.length < 4 && isAtMostOneTwice(), 'what was missed is one report');

  say('That is all: the remaining process ends.');
}

/** No second is missing, and each is there once. */
function isOncePerSecond(): boolean {
  const seconds = [...new Set(reports)]
    .map((at) => at / 1000)
    .toSorted((one, other) => one - other);
  return (
    isAtMostOneTwice() && seconds.every((second, index) => second === (seconds[0] ?? 0) + index)
  );
}

/** A job that ran in the process that was killed runs again. */
function isAtMostOneTwice(): boolean {
  return reports.length - new Set(reports).size <= 1;
}

function say(text: string) {
  console.log(`\n${text}\n`);
}

function check(isSo: boolean, text: string) {
  if (!isSo) throw new Error(`It is not so that: ${text}`);
  console.log(`=> ${text}`);
}

async function until(what: string, isSo: () => boolean) {
  const deadline = Date.now() + 30_000;
  while (!isSo()) {
    if (Date.now() > deadline) throw new Error(`Waited in vain for ${what}`);
    await pause(20);
  }
}
