// How the check installs from the system's packages: on a machine whose lists are empty, and while another
// process uses the package tool. The tool is a script that writes down what it is asked for.
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../scripts/child-processes.mjs';

const module = new URL('../../scripts/system-packages.mjs', import.meta.url).href;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rq-system-packages-'));
  program('sudo', 'while [ "$1" = -n ]; do shift; done; exec "$@"');
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function program(name: string, script: string): void {
  const file = join(folder, name);
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
}

/** An apt-get that answers its n-th call with the n-th line: what it says, or nothing for success. */
function aptGet(...answers: string[]): void {
  const cases = answers.map((text, index) =>
    text === '' ? `${index + 1}) exit 0 ;;` : `${index + 1}) echo "${text}" >&2; exit 100 ;;`,
  );
  program(
    'apt-get',
    `[ "$1" = --version ] && exit 0
for word; do case "$word" in install | update) echo "$word" >> "${folder}/calls" ;; esac; done
case "$(wc -l < "${folder}/calls" | tr -d ' ')" in ${cases.join(' ')} *) exit 1 ;; esac`,
  );
}

async function install(): Promise<{ said: string; calls: string[] }> {
  const code = `import { installSystemPackages } from '${module}';
    console.log(await installSystemPackages('something').catch((error) => error.message));`;
  const said = await run(process.execPath, ['--input-type=module', '--eval', code], {
    env: { PATH: `${folder}:${process.env['PATH']}` },
    timeLimit: 20,
  });
  return {
    said: said.trim(),
    calls: readFileSync(join(folder, 'calls'), 'utf8').trim().split('\n'),
  };
}

it('installs at once where the lists are there', async () => {
  aptGet('');
  expect(await install()).toEqual({ said: 'true', calls: ['install'] });
});

it('fetches the lists where they are empty', async () => {
  aptGet('E: Unable to locate package something', '', '');
  expect(await install()).toEqual({ said: 'true', calls: ['install', 'update', 'install'] });
});

it('waits for another process that holds a lock', async () => {
  aptGet(
    'E: Could not get lock /var/cache/apt/archives/lock. It is held by process 7 (apt-get)',
    'E: Unable to locate package something',
    'E: Could not get lock /var/lib/apt/lists/lock. It is held by process 7 (apt-get)',
    '',
    '',
  );
  const calls = ['install', 'install', 'update', 'update', 'install'];
  expect(await install()).toEqual({ said: 'true', calls });
});

it('installs although one of the lists cannot be fetched, if the others will do', async () => {
  aptGet('E: Unable to locate package something', 'E: The repository has no Release file', '');
  expect(await install()).toEqual({ said: 'true', calls: ['install', 'update', 'install'] });
});

it('says all that went wrong when it cannot', async () => {
  const missing = 'E: Unable to locate package something';
  aptGet(missing, 'E: The repository has no Release file', missing);
  const { said } = await install();
  expect(said).toContain('The repository has no Release file');
  expect(said).toContain(missing);
});
