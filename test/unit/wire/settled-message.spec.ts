import { decodeSettled } from '../../../lib/wire/settled-message.js';

describe('an announced settlement', () => {
  it.each([
    ['id1 finished json {"a":1}', { id: 'id1', status: 'finished', value: { a: 1 } }],
    ['id1 finished json "two words\\n"', { id: 'id1', status: 'finished', value: 'two words\n' }],
    ['id1 finished json ', { id: 'id1', status: 'finished', value: null }],
    ['id1 finished base64 eyJhIjoxfQ==', { id: 'id1', status: 'finished', value: { a: 1 } }],
    [
      'id1 failed text Error: boom\n    at f',
      { id: 'id1', status: 'failed', text: 'Error: boom\n    at f' },
    ],
    ['id1 canceled text ', { id: 'id1', status: 'canceled', text: '' }],
  ])('%j', (message, settled) => {
    expect(decodeSettled(message)).toEqual(settled);
  });

  it.each([
    '',
    'id1',
    'id1 finished',
    'id1 finished json',
    'id1 finished xml <a/>',
    'id1 dancing json 1',
    'id1 finished json {broken',
    'id1 finished json undefined',
    '{"id": "id1"}',
  ])('%j is ignored: anybody can publish anything', (message) => {
    expect(decodeSettled(message)).toBeUndefined();
  });

  it('without a readable value is one all the same: the value stands elsewhere', () => {
    expect(decodeSettled('id1 finished base64 gAVLKi4=')).toEqual({
      id: 'id1',
      status: 'finished',
    });
  });
});
