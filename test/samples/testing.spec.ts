// The sample of the testing kit is a project of its own: its tests are run as its user runs them, in a process that
// must end by itself and without an open handle.
import { fileURLToPath } from 'node:url';
import { runToEnd } from '../../scripts/child-processes.mjs';

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
  const { code, stdout, stderr } = await runToEnd(process.execPath, jest, {
    what: 'jest',
    cwd: root,
    timeLimit: 200,
  });
  const output = stdout + stderr;
  expect({ code, output }).toEqual({
    code: 0,
    output: expect.stringMatching(/^Tests: +10 passed, 10 total$/m),
  });
  expect(output).not.toMatch(/open handle|did not exit/i);
}, 240_000);
