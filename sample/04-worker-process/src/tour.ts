// What `npm run sample -- 04-worker-process` shows: an API and its workers as processes of their own, of
// which one is asked to end in the middle of a job, and one is killed.
import { setTimeout as pause } from 'node:timers/promises';
import { endAllProcesses, freePort, startProcess } from './tour-processes.js';

interface Progress {
  status: string;
  worker?: string;
  attempts: number;
  result?: { title: string; for: string };
}

const port = await freePort();
const url = `http://127.0.0.1:${port}`;

try {
  await tour();
} finally {
  await endAllProcesses();
}

async function tour() {
  say('An API, which runs no jobs, and one worker.');
  startProcess('api', 'api.js', { PORT: String(port) });
  const first = startWorker('worker-1');
  await until('the API answers', async () => (await fetch(url)).status === 404);

  say('A request with the id "red" enqueues a job; the worker knows the id, too.');
  const red = await add('red', { title: 'harbour.mp4', seconds: 0.5 });
  check((await progressOf(red, 'finished')).result?.for === 'red', 'the result is for "red"');

  say('SIGTERM while a job runs: the worker finishes it, and ends.');
  const green = await add('green', { title: 'forest.mp4', seconds: 2 });
  await progressOf(green, 'started');
  await first.end('SIGTERM');
  const finished = await progressOf(green, 'finished');
  check(finished.attempts === 1, `${finished.worker} has finished it in its first attempt`);

  say('Two new workers, and SIGKILL for the one that runs the job: the other one runs it again.');
  const workers = [startWorker('worker-2'), startWorker('worker-3')];
  const blue = await add('blue', { title: 'mountain.mp4', seconds: 3 });
  const { worker: killed } = await progressOf(blue, 'started');
  await workers.find(({ name }) => name === killed)?.end('SIGKILL');
  const rescued = await progressOf(blue, 'finished');
  check(rescued.worker !== killed, `begun on ${killed}, finished on ${rescued.worker}`);

  say('That is all: the remaining processes end.');
}

/** With a short lease, so that the jobs of a killed worker need not be waited for long. */
function startWorker(name: string) {
  return startProcess(name, 'worker.js', { WORKER_NAME: name, WORKER_LEASE: '1s' });
}

async function add(requestId: string, video: object): Promise<string> {
  const response = await fetch(`${url}/videos`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-Request-Id': requestId },
    body: JSON.stringify(video),
  });
  return ((await response.json()) as { see: string }).see;
}

/** Asks the API until the job is where it is expected to be. */
function progressOf(see: string, status: string): Promise<Progress> {
  return until(`${see} is ${status}`, async () => {
    const progress = (await (await fetch(`${url}${see}`)).json()) as Progress;
    return progress.status === status && progress;
  });
}

async function until<T>(what: string, look: () => Promise<T | false>): Promise<T> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const seen = await look().catch(() => false as const);
    if (seen !== false) return seen;
    if (Date.now() > deadline) throw new Error(`Waited in vain until ${what}`);
    await pause(50);
  }
}

function say(text: string) {
  console.log(`\n${text}`);
}

function check(isSo: boolean, text: string) {
  console.log(isSo ? `=> ${text}` : `=> NOT SO: ${text}; please report it`);
  if (!isSo) process.exitCode = 1;
}
