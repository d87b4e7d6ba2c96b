// Which Redis the demo and the samples work with: the one of REDIS_URL, else a server program of this
// machine, started for them with nothing kept on disk, else an in-memory stand-in.
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { startNode } from './child-processes.mjs';
import { findRedisServer, startRedisServer } from './redis-server.mjs';

/**
 * Opens a Redis for 'the demo', say: `{ url, notice }`. What it starts is ended with the other children.
 */
export async function openRedisFor(purpose) {
  const given = process.env.REDIS_URL;
  if (given) return { url: given, notice: 'the one of REDIS_URL' };

  const found = findRedisServer();
  if (found !== undefined) {
    const { url, port } = await startRedisServer({ dir: tmpdir() });
    const { command, version } = found;
    return { url, notice: `${command} ${version}, started on port ${port} for ${purpose}` };
  }
  return {
    url: await startStandIn(),
    notice: `no redis-server on PATH: in-memory stand-in, not Redis: for ${purpose} only`,
  };
}

async function startStandIn() {
  const script = fileURLToPath(new URL('./redis-stand-in.mjs', import.meta.url));
  const server = startNode(script, [], { output: 'inherit' });
  const failed = once(server, 'exit').then(([code]) => {
    throw new Error(`The in-memory stand-in for Redis did not start (exit code ${code})`);
  });
  const [message] = await Promise.race([once(server, 'message'), failed]);
  failed.catch(() => {});
  return message.url;
}
