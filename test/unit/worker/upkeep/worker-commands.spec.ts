import { parseCommand } from '../../../../lib/worker/upkeep/worker-commands.js';

describe("RQ's commands to a worker", () => {
  it.each([
    ['{"command": "stop-job", "job_id": "J"}', { type: 'stop-job', jobId: 'J' }],
    ['{"command":"cancel-job","job_id":"J","more":1}', { type: 'cancel-job', jobId: 'J' }],
    ['{"command": "shutdown"}', { type: 'shutdown' }],
  ])('%s', (message, command) => {
    expect(parseCommand(message)).toEqual(command);
  });

  it.each([
    '',
    'shutdown',
    '{',
    'null',
    '1',
    '"shutdown"',
    '["shutdown"]',
    '{}',
    '{"command": "kill-horse"}',
    '{"command": "stop-job"}',
    '{"command": "stop-job", "job_id": 5}',
    '{"command": "stop-job", "job_id": null}',
    '{"command": ["shutdown"]}',
    '{"__proto__": {"command": "shutdown"}}',
  ])('%s is ignored', (message) => {
    expect(parseCommand(message)).toBeUndefined();
  });
});
