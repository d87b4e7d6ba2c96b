import type { RqInspector } from '../../observe/index.js';
import type { Viewer } from './viewer.js';

/** The queues that somebody may see; names that no queue can have, which strangers have written, are left out. */
export async function visibleQueues(inspector: RqInspector, viewer: Viewer): Promise<string[]> {
  const names = await inspector.names();
  return viewer.visible(names.filter((name) => isPossible(name, inspector)));
}

function isPossible(name: string, inspector: RqInspector): boolean {
  try {
    inspector.queue(name);
    return true;
  } catch {
    return false;
  }
}
