// The sample of the testing kit is a project of its own: its tests are run as its user runs them, in a process that
// must end by itself and without an open handle.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { endsWithUs } from '../support/ends-with-us.js';
import { within } from '../support/wait.js';

const root = fileURLToPath(new URL('../../', import.meta.url));

it('sample/03-testing passes its own tests, and leaves nothing open', async () => {
  const jest = [
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    'node_modules/jest/bin/jest.js',
    '--config=sample/03-testing/jest.config.mjs',
    '--detectOpenHandles',
    '--ci',
  ];
  const child = spawn(process.execPath, jest, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  endsWithUs(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const code = await within(ended, { what: 'jest to end by itself', timeout: 100_000 });
  expect({ code, output }).toEqual({
    code: 0,
    output: expect.stringMatching(/^Tests: +10 passed, 10 total$/m),
  });
  expect(output).not.toMatch(/open handle|did not exit/i);
}, 120_000);
