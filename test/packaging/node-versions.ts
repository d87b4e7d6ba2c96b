// The Nodes that the packed library is tried on: the one that runs this, and those that a step of the check
// has fetched.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './packed-library.js';

export interface NodeVersion {
  /** `v22.12.0` */
  readonly version: string;
  /** Path of the program. */
  readonly program: string;
}

/** The Node that runs this, and one of each other line that can be had here. */
export function nodeVersions(): NodeVersion[] {
  const fetched = join(root, '.cache/node/installed.json');
  const versions = existsSync(fetched)
    ? (JSON.parse(readFileSync(fetched, 'utf8')) as NodeVersion[])
    : [];
  const areThere = versions.every(({ program }) => existsSync(program));
  if (areThere && versions.some(({ version }) => version === process.version)) return versions;
  throw new Error(
    'The Nodes to test on are not there. Fetch them: node scripts/fetch-node-versions.mjs',
  );
}
