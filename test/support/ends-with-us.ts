// A test that is killed (a time limit, Ctrl-C, a crashed jest worker) must not leave its Redis servers
// and workers behind: every process that the tests start is ended when the process of the tests ends,
// however that happens. Jest's sandbox never passes on the 'exit' event of the real process, hence the
// shell below: it reads a pipe that only we hold open, so it comes to its `kill` when we are gone.
import { spawn, type ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';

const children = new Set<ChildProcess>();

process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

/**
 * Ties the life of `child` to that of this process; with `group`, that of all processes in the group
 * that `child` leads (it was spawned `detached`).
 */
export function endsWithUs(child: ChildProcess, { group = false } = {}): void {
  if (child.pid === undefined) return;
  const script = 'read -r _; kill -s KILL -- "$1" 2>/dev/null';
  const target = group ? `-${child.pid}` : String(child.pid);
  const sentinel = spawn('sh', ['-c', script, 'sh', target], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  sentinel.on('error', () => {});
  sentinel.stdin.on('error', () => {});
  (sentinel.stdin as Socket).unref();
  sentinel.unref();
  children.add(child);
  child.once('exit', () => {
    children.delete(child);
    sentinel.kill('SIGKILL');
  });
}
