import { obeyCommand, parseCommand } from '../../../../lib/worker/upkeep/worker-commands.js';

describe("RQ's commands to a worker", () => {
  it.each([
    ['{"command": "stop-job", "job_id": "J"}', { type: 'stop-job', jobId: 'J' }],
    ['{"command":"cancel-job","job_id":"J","more":1}', { type: 'cancel-job', jobId: 'J' }],
    ['{"command": "shutdown"}', { type: 'shutdown' }],
  ])('%s', (message, command) => {
    expect(parseCommand(message)).toEqual(command);
  });

  it.each([
    ['{"command":"stop-job","job_id":"J"}', ['stop J', 'stop J']],
    ['{"command":"cancel-job","job_id":"J"}', ['cancel J', 'cancel J']],
    ['{"command":"shutdown"}', ['shut down']],
    ['{"command":"kill-horse"}', []],
  ])('are obeyed, whichever queue the job is of: %s', (message, expected) => {
    const done: string[] = [];
    const runner = {
      stop: (id: string) => void done.push(`stop ${id}`),
      cancel: (id: string) => void done.push(`cancel ${id}`),
    };
    obeyCommand(message, [runner, runner], () => void done.push('shut down'));
    expect(done).toEqual(expected);
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
